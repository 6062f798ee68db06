import { optionNames, splitDockerRun } from './docker-run.ts';

export { splitDockerRun } from './docker-run.ts';

/** What containers are to ask, and the domains that they try behind a bare name. */
export interface ContainerResolver {
  readonly address: string;
  /** `.` keeps the host's own out of the container, so that a bare name is asked as it is. */
  readonly search: readonly string[];
}

/**
 * The flags that make `docker run` use our resolver; none without one, or where the arguments say `--without-dns`, a
 * word of the weave script. A search domain among the arguments overrules ours.
 */
export function dnsArgs(resolver: ContainerResolver | undefined, dockerArgs: readonly string[]): string[] {
  const given = optionNames(splitDockerRun(dockerArgs).options);
  if (resolver === undefined || given.has('--without-dns')) return [];
  const search = given.has('--dns-search') ? [] : resolver.search.map((domain) => `--dns-search=${domain}`);
  return ['--dns', resolver.address, ...search];
}
