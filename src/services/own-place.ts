import { type Choice, isIngress } from '../addresses/choose.ts';
import type { ContainerPort, Protocol, Snapshot } from '../docker/snapshot.ts';
import type { RosterEntry } from '../roster/entry.ts';
import { commaList, type Variable } from './environment.ts';
import { shown } from './meta.ts';

type Note = (problem: string) => void;

/** More ports than this in one setting are a mistake or an attack. */
const MAX_PORTS = 64;

/** The address that SERVICE_NETWORK chooses: the one that Docker gave the container on that network. */
export function choiceOnNetwork(
  setting: Variable | undefined,
  { snapshot, choice }: Pick<RosterEntry, 'snapshot' | 'choice'>,
  note: Note,
): Choice {
  const asked = setting?.value.trim() ?? '';
  if (setting === undefined || asked === '') return choice;
  const usable = snapshot.networks.filter((network) => !isIngress(network, snapshot));
  // Compose puts its project before the names of networks.
  const ofProject = usable.filter(({ name }) => name.endsWith(`_${asked}`));
  const network =
    usable.find(({ name }) => name === asked) ?? (ofProject.length === 1 ? ofProject[0] : undefined);
  const [ip, ipv6] = [network?.ipv4, network?.ipv6].filter(Boolean);
  if (network === undefined || ip === undefined) {
    const names = usable.map(({ name }) => shown(name)).join(', ');
    const where = names === '' ? 'it is on none' : `it is on ${names}`;
    note(`${shown(setting.variable)}: the container has no address on network ${shown(asked)}; ${where}`);
    return choice;
  }
  const word = `network:${network.name}`;
  const reason = `${setting.variable} names network ${network.name}`;
  return { chosen: true, ip, ...(ipv6 !== undefined && { ipv6 }), word, reason, hostPorts: false };
}

/**
 * The container with the ports that SERVICE_PORT names (`8080`, `80,53/udp`), and no other: one that shares another
 * container's network exposes none.
 */
export function withNamedPorts(setting: Variable | undefined, snapshot: Snapshot, note: Note): Snapshot {
  const words = commaList(setting?.value ?? '');
  if (setting === undefined || words.length === 0) return snapshot;
  const ports = new Map<string, ContainerPort>();
  for (const word of words.slice(0, MAX_PORTS)) {
    const [, number, protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/i.exec(word) ?? [];
    const port = number === undefined ? undefined : portNumber({ ...setting, value: number }, note);
    if (number === undefined) note(refused(setting, word));
    if (port === undefined) continue;
    const named = { port, protocol: protocol.toLowerCase() as Protocol };
    const exposed = snapshot.ports.find((own) => own.port === port && own.protocol === named.protocol);
    ports.set(`${port}/${named.protocol}`, exposed ?? { ...named, published: [] });
  }
  if (words.length > MAX_PORTS) note(`${shown(setting.variable)} has more than ${MAX_PORTS} ports`);
  return ports.size === 0 ? snapshot : { ...snapshot, ports: [...ports.values()] };
}

/** The number of a port; undefined where it is none. */
export function portNumber(setting: Variable, note: Note): number | undefined {
  const text = setting.value.trim();
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  note(refused(setting, text));
  return undefined;
}

function refused({ variable }: Variable, text: string): string {
  return `${shown(variable)} ${JSON.stringify(shown(text))} is refused: expected a port from 1 to 65535`;
}
