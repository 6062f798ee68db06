import type { Choice } from '../../src/addresses/choose-address.ts';
import type { ContainerPort, Snapshot } from '../../src/docker/snapshot.ts';
import type { Address } from '../../src/network/address.ts';
import type { RosterEntry } from '../../src/roster/entry.ts';
import { entryFor, snapshot } from './snapshot.ts';

/** A port of a container in a test: `80`, `'53/udp'`, `'80>8080,127.0.0.1:8081'` (published at two host ports). */
export type PortText = number | string;

interface EntryOptions extends Partial<Omit<Snapshot, 'metadata' | 'ports'>> {
  readonly env?: Readonly<Record<string, string>>;
  readonly ports?: readonly PortText[];
  /** The chosen address; null where none could be chosen. */
  readonly ip?: string | null;
  /** The other one, where the container has both families. */
  readonly ipv6?: string | undefined;
  readonly hostPorts?: boolean;
  readonly awaitingAddress?: boolean;
}

/** Name and image in the expected tables. */
const THING: Partial<Snapshot> = { name: 'thing', image: 'team/thing:1', networkMode: 'bridge' };

/** A roster entry of a running container at 10.2.1.1, but for what the test says. */
export function entryOf(options: EntryOptions = {}): RosterEntry {
  const {
    env = {},
    ports = [],
    ip = '10.2.1.1',
    ipv6,
    hostPorts = false,
    awaitingAddress = false,
    ...rest
  } = options;
  const choice: Choice =
    ip === null
      ? { chosen: false, tried: [{ term: 'ethwe', why: 'no such interface' }] }
      : {
          chosen: true,
          ip,
          ...(ipv6 !== undefined && { ipv6 }),
          term: hostPorts ? 'published' : 'ethwe',
          reason: 'test',
          hostPorts,
        };
  const given = { ...THING, ...rest, metadata: new Map(Object.entries(env)), ports: ports.map(portOf) };
  const held =
    hostPorts || rest.networkMode === 'host' ? [] : [ip, ipv6].filter((one) => typeof one === 'string');
  const addresses = held.map(
    (own): Address => ({
      ...{ ip: own, prefixLength: own.includes(':') ? 64 : 16, interface: 'ethwe' },
      family: own.includes(':') ? 6 : 4,
    }),
  );
  return entryFor(snapshot('c0ffee', given), { namespace: undefined, addresses, choice, awaitingAddress });
}

function portOf(text: PortText): ContainerPort {
  const [own = '', published = ''] = String(text).split('>');
  const [port, protocol = 'tcp'] = own.split('/');
  const bindings = published === '' ? [] : published.split(',');
  return {
    port: Number(port),
    protocol: protocol as ContainerPort['protocol'],
    published: bindings.flatMap((binding) => {
      const [hostPort, hostIp] = binding.split(':').reverse();
      const addresses = hostIp === undefined ? ['0.0.0.0', '::'] : [hostIp];
      return addresses.map((address) => ({ hostIp: address, hostPort: Number(hostPort) }));
    }),
  };
}
