import { type Snapshot, shortId } from '../../docker/snapshot.ts';
import type { RosterEntry } from '../../roster/entry.ts';
import { isBelow, isName, MAX_LABEL } from '../wire/name.ts';

/** What a container is called below the domain of container names. */
export interface ContainerName {
  /** In full and in lower case: `web.weave.local`. */
  readonly name: string;
  /** Somebody spelled it with the domain, so it is what its address is called. */
  readonly given: boolean;
}

/** The names that Docker and compose take; what else stands in a label or an alias makes no name. */
const HOST_NAME = /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/;
const COMPOSE_SERVICE = 'com.docker.compose.service';
const COMPOSE_ONE_OFF = 'com.docker.compose.oneoff';

/**
 * The names of a container: its host name, its name, its aliases and its compose service, best first. A host name in
 * another domain is left out: that one is not ours to answer.
 */
export function containerNames(snapshot: Snapshot, domain: string): readonly ContainerName[] {
  const names = new Map<string, ContainerName>();
  for (const { word } of wordsFor(snapshot, domain)) {
    const full = nameBelow(word, domain);
    if (full === undefined || names.has(full)) continue;
    names.set(full, {
      name: full,
      given: word.includes('.') && full === word.toLowerCase().replace(/\.$/, ''),
    });
  }
  return [...names.values()];
}

/** Which words make no name of a container that runs, and why; one sentence each. */
export function nameProblems(snapshot: Snapshot, domain: string): readonly string[] {
  const problems = wordsFor(snapshot, domain).flatMap(({ word, what }) => {
    const why = word === '' || nameBelow(word, domain) !== undefined ? undefined : whyNoName(word, domain);
    return why === undefined ? [] : `the ${what} ${cutShort(word)} gives it no name in DNS: ${why}`;
  });
  return [...new Set(problems)].slice(0, MAX_PROBLEMS);
}

/** Aliases that are no names may be many. */
const MAX_PROBLEMS = 4;
const cutShort = (word: string): string => (word.length > 80 ? `${word.slice(0, 80)}…` : word);

function whyNoName(word: string, domain: string): string {
  const long = word.split('.').find((label) => Buffer.byteLength(label) > MAX_LABEL);
  if (long !== undefined) return `a label has at most ${MAX_LABEL} characters, and it has ${long.length}`;
  if (HOST_NAME.test(word.toLowerCase().replace(/\.$/, '')) && !word.includes('..')) {
    return `with ${domain} it is longer than a name may be`;
  }
  return 'a name has letters, digits, _ and -, and single dots between them';
}

/** What a container could be called, best first. */
function wordsFor(
  { id, hostname, domainname, name, aliases, metadata }: Snapshot,
  domain: string,
): readonly { readonly word: string; readonly what: string }[] {
  const host = domainname === '' ? hostname : `${hostname}.${domainname}`;
  const isForeign = host.includes('.') && !isBelow(host.toLowerCase().replace(/\.$/, ''), domain);
  const hostWord = { word: isForeign ? '' : host, what: 'host name' };
  // `docker compose run` makes containers of a service that do not serve.
  const service = metadata.get(COMPOSE_ONE_OFF) === 'True' ? '' : (metadata.get(COMPOSE_SERVICE) ?? '');
  const others = [
    { word: name, what: 'container name' },
    ...aliases.map((word) => ({ word, what: 'network alias' })),
    { word: service, what: 'compose service' },
  ];
  // Docker's own choice for a host name is a number that nobody calls a container by.
  return hostname === shortId(id) ? [...others, hostWord] : [hostWord, ...others];
}

/**
 * A word as a name below the domain, where it may stand already: `web` and `web.weave.local` are the same. Undefined
 * for what cannot be a host's name.
 */
export function nameBelow(word: string, domain: string): string | undefined {
  const lower = word.toLowerCase().replace(/\.$/, '');
  const name = isBelow(lower, domain) ? lower : `${lower}.${domain}`;
  return HOST_NAME.test(lower) && isName(name) ? name : undefined;
}

/**
 * The addresses that a container is called by: all those of the interface that it is announced at. None while it
 * does not run or waits for its address, and none where only the host's address is known.
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
  const beside = addresses.filter((address) => address.interface === announced.interface);
  return beside.map(({ ip }) => ip).filter((ip) => !isLinkLocal(ip));
}

/** Every IPv6 interface has one, and it means nothing elsewhere (RFC 4291 §2.5.6). */
const isLinkLocal = (ip: string): boolean => /^fe[89ab]/i.test(ip);
