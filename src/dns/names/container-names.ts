import { type Snapshot, shortId } from '../../docker/snapshot.ts';
import type { RosterEntry } from '../../roster/entry.ts';
import { isBelow, isName, MAX_LABEL } from '../wire/name.ts';

/** A name of a container below the domain of container names. */
export interface ContainerName {
  /** In full and in lower case: `web.weave.local`. */
  readonly name: string;
  /** The user wrote the name with its domain, so the address's PTR record points to it. */
  readonly explicit: boolean;
}

/** The names that Docker and compose accept; any other text in a label or an alias is not a host name. */
const HOST_NAME = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/;
const COMPOSE_SERVICE = 'com.docker.compose.service';
const COMPOSE_ONE_OFF = 'com.docker.compose.oneoff';

/**
 * The names of a container, best first: its host name, its name, its aliases and its compose service. A host name in
 * another domain is left out: we are not authoritative for it.
 */
export function containerNames(snapshot: Snapshot, domain: string): readonly ContainerName[] {
  const names = new Map<string, ContainerName>();
  for (const { candidate } of candidatesFor(snapshot, domain)) {
    const full = nameBelow(candidate, domain);
    if (full === undefined || names.has(full)) continue;
    names.set(full, {
      name: full,
      explicit: candidate.includes('.') && full === candidate.toLowerCase().replace(/\.$/, ''),
    });
  }
  return [...names.values()];
}

/** Which candidates are not valid names of a running container, and why; one sentence each. */
export function nameProblems(snapshot: Snapshot, domain: string): readonly string[] {
  const problems = candidatesFor(snapshot, domain).flatMap(({ candidate, what }) => {
    const isUsable = candidate === '' || nameBelow(candidate, domain) !== undefined;
    if (isUsable) return [];
    return `the ${what} ${cutShort(candidate)} is not a valid DNS name: ${reasonForNoName(candidate, domain)}`;
  });
  return [...new Set(problems)].slice(0, MAX_PROBLEMS);
}

/** A container may have many aliases that are not valid names. */
const MAX_PROBLEMS = 4;
const cutShort = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);

function reasonForNoName(candidate: string, domain: string): string {
  const long = candidate.split('.').find((label) => Buffer.byteLength(label) > MAX_LABEL);
  if (long !== undefined) return `a label has at most ${MAX_LABEL} characters, this one has ${long.length}`;
  if (HOST_NAME.test(candidate.toLowerCase().replace(/\.$/, '')) && !candidate.includes('..')) {
    return `with .${domain} appended, it exceeds the maximum length of a name`;
  }
  return 'a name consists of letters, digits, _ and -, and of single dots between them';
}

/** The texts that could be names of a container, best first. */
function candidatesFor(
  { id, hostname, domainname, name, aliases, metadata }: Snapshot,
  domain: string,
): readonly { readonly candidate: string; readonly what: string }[] {
  const host = domainname === '' ? hostname : `${hostname}.${domainname}`;
  const isForeign = host.includes('.') && !isBelow(host.toLowerCase().replace(/\.$/, ''), domain);
  const hostCandidate = { candidate: isForeign ? '' : host, what: 'host name' };
  // Containers of `docker compose run` belong to a compose service, but do not serve.
  const service = metadata.get(COMPOSE_ONE_OFF) === 'True' ? '' : (metadata.get(COMPOSE_SERVICE) ?? '');
  const others = [
    { candidate: name, what: 'container name' },
    ...aliases.map((alias) => ({ candidate: alias, what: 'network alias' })),
    { candidate: service, what: 'compose service' },
  ];
  // Docker's default host name is the container's short id: no user calls a container by it.
  return hostname === shortId(id) ? [...others, hostCandidate] : [hostCandidate, ...others];
}

/**
 * The full name below the domain; the text may end in the domain already: `web` and `web.weave.local` are the same.
 * Undefined for text that is not a host name.
 */
export function nameBelow(text: string, domain: string): string | undefined {
  const lower = text.toLowerCase().replace(/\.$/, '');
  const name = isBelow(lower, domain) ? lower : `${lower}.${domain}`;
  return HOST_NAME.test(lower) && isName(name) ? name : undefined;
}

/**
 * The addresses of a container's names: all addresses of the interface that the container is announced at. Empty while
 * the container is stopped or waits for its address, and if only the host's address is known.
 */
export function containerAddresses({
  snapshot,
  choice,
  addresses,
  awaitingAddress,
}: RosterEntry): readonly string[] {
  if (!snapshot.running || awaitingAddress || !choice.chosen || choice.hostPorts) return [];
  const announced = addresses.find(({ ip }) => ip === choice.ip);
  if (!announced || announced.interface === '')
    return [choice.ip, choice.ipv6].filter((ip) => ip !== undefined);
  const sameInterface = addresses.filter((address) => address.interface === announced.interface);
  return sameInterface.map(({ ip }) => ip).filter((ip) => !isLinkLocal(ip));
}

/** Every IPv6 interface has a link-local address, which is not valid outside its link (RFC 4291 §2.5.6). */
const isLinkLocal = (ip: string): boolean => /^fe[89ab]/i.test(ip);
