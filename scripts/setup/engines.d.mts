export function findCurrentDocker(): string | undefined;
export function findPodman(): string | undefined;
export function ensureEngines(): void;
