export function resolverPackages(name: string): string[];
export function hasResolverPackages(): boolean;
export function ensureResolverPackages(): void;
