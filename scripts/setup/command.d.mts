export function which(program: string): string | undefined;
export function run(program: string, args: readonly string[], options?: object): string;
