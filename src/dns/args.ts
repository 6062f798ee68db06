import { optionNames, optionValues, splitDockerRun } from '../docker/run-arguments.ts';

/** The resolver that containers use, and the search domains that they append to a bare name. */
export interface ContainerResolver {
  readonly address: string;
  /** `.` keeps the host's search domains out of the container, so that a bare name is asked as it is. */
  readonly search: readonly string[];
}

/** The arguments of `docker run` that decide which DNS flags are added. */
export interface DnsPreferences {
  /** False with `--without-dns`, an option of the weave script. */
  readonly resolver: boolean;
  /** False if the user gives search domains: they overrule ours. */
  readonly search: boolean;
  /** True with `--network none`: the container reaches only the network that heddle attaches it to. */
  readonly onlyAttached: boolean;
}

export function dnsPreferences(dockerArgs: readonly string[]): DnsPreferences {
  const { options } = splitDockerRun(dockerArgs);
  const names = optionNames(options);
  const network = optionValues(options, ['--network', '--net']).map(networkName).at(-1) ?? '';
  return {
    // With another container's network comes that container's resolver, and docker rejects --dns there.
    resolver: !names.has('--without-dns') && !network.startsWith('container:'),
    search: !names.has('--dns-search'),
    onlyAttached: network === 'none',
  };
}

/** Reads both forms of docker: `none` and `name=none,alias=web`. */
const networkName = (value: string): string =>
  (value.split(',').find((part) => part.startsWith('name=')) ?? value).replace(/^name=/, '');

/** The shortest arguments with the same preferences, to be sent elsewhere: the original ones may hold secrets. */
export const preferenceArguments = ({ resolver, search, onlyAttached }: DnsPreferences): string[] => [
  ...(resolver ? [] : ['--without-dns=']),
  ...(search ? [] : ['--dns-search=']),
  ...(onlyAttached ? ['--network=none'] : []),
];

/** The flags that make `docker run` use our resolver. None without a resolver, or if the arguments exclude it. */
export function dnsArgs(resolver: ContainerResolver | undefined, dockerArgs: readonly string[]): string[] {
  const preferences = dnsPreferences(dockerArgs);
  return preferences.resolver ? resolverArgs(resolver, preferences) : [];
}

/** The same flags, for a container that is known to use our resolver. */
export function resolverArgs(
  resolver: ContainerResolver | undefined,
  preferences: Pick<DnsPreferences, 'search'>,
): string[] {
  if (resolver === undefined) return [];
  const search = preferences.search ? resolver.search.map((domain) => `--dns-search=${domain}`) : [];
  return ['--dns', resolver.address, ...search];
}
