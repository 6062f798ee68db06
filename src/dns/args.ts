import { optionNames, splitDockerRun } from './docker-run.ts';

export { splitDockerRun } from './docker-run.ts';

/**
 * The flags that make `docker run` use our resolver at `address`. The search domain `.` keeps the host's own out of
 * the container, so that a bare name is asked as it is; one among the arguments overrules ours.
 */
export function dnsArgs(
  address: string,
  dockerArgs: readonly string[],
  { search = '.' }: { readonly search?: string } = {},
): string[] {
  const given = optionNames(splitDockerRun(dockerArgs).options);
  return given.has('--dns-search') ? ['--dns', address] : ['--dns', address, `--dns-search=${search}`];
}
