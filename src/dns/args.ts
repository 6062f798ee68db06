import { optionNames, optionValues, splitDockerRun } from '../docker/run-arguments.ts';

/** What containers are to ask, and the domains that they try behind a bare name. */
export interface ContainerResolver {
  readonly address: string;
  /** `.` keeps the host's own out of the container, so that a bare name is asked as it is. */
  readonly search: readonly string[];
}

/** What `docker run` is told of names: all of its arguments that the resolver's flags depend on. */
export interface DnsWishes {
  /** False by `--without-dns`, a word of the weave script. */
  readonly resolver: boolean;
  /** False where it has search domains of its own: they overrule ours. */
  readonly search: boolean;
  /** True by `--network none`: it reaches nothing but the network that it is attached to. */
  readonly onlyAttached: boolean;
}

export function dnsWishes(dockerArgs: readonly string[]): DnsWishes {
  const { options } = splitDockerRun(dockerArgs);
  const given = optionNames(options);
  const network = optionValues(options, ['--network', '--net']).map(networkName).at(-1) ?? '';
  return {
    // Whoever shares another container's network has its resolver, and docker takes no --dns beside that.
    resolver: !given.has('--without-dns') && !network.startsWith('container:'),
    search: !given.has('--dns-search'),
    onlyAttached: network === 'none',
  };
}

/** `none`, and `name=none,alias=web` as docker has it, too. */
const networkName = (value: string): string =>
  (value.split(',').find((part) => part.startsWith('name=')) ?? value).replace(/^name=/, '');

/** The shortest arguments with the same wishes, for another place to read: the real ones may hold secrets. */
export const wishesAlone = ({ resolver, search, onlyAttached }: DnsWishes): string[] => [
  ...(resolver ? [] : ['--without-dns=']),
  ...(search ? [] : ['--dns-search=']),
  ...(onlyAttached ? ['--network=none'] : []),
];

/** The flags that make `docker run` use our resolver; none without one, or where the arguments do not want it. */
export function dnsArgs(resolver: ContainerResolver | undefined, dockerArgs: readonly string[]): string[] {
  const wishes = dnsWishes(dockerArgs);
  return wishes.resolver ? resolverArgs(resolver, wishes) : [];
}

/** The same, where it is known that it is wanted. */
export function resolverArgs(
  resolver: ContainerResolver | undefined,
  wishes: Pick<DnsWishes, 'search'>,
): string[] {
  if (resolver === undefined) return [];
  const search = wishes.search ? resolver.search.map((domain) => `--dns-search=${domain}`) : [];
  return ['--dns', resolver.address, ...search];
}
