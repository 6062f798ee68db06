import type { ContainerPort, Protocol, Snapshot } from '../docker/snapshot.ts';
import { commaList, type Variable } from './environment.ts';
import { shown } from './meta.ts';
import type { Note } from './note.ts';

/** More ports than this in one setting are a mistake or an attack. */
const MAX_PORTS = 64;

/**
 * The container with only the ports that SERVICE_PORT names (`8080`, `80,53/udp`). A container that shares another
 * container's network exposes no ports, so the setting adds them.
 */
export function withNamedPorts(setting: Variable | undefined, snapshot: Snapshot, note: Note): Snapshot {
  const items = commaList(setting?.value ?? '');
  if (setting === undefined || items.length === 0) return snapshot;
  const ports = new Map<string, ContainerPort>();
  for (const item of items.slice(0, MAX_PORTS)) {
    const [, number, protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/i.exec(item) ?? [];
    const port = number === undefined ? undefined : portNumber({ ...setting, value: number }, note);
    if (number === undefined) note(refusal(setting, item));
    if (port === undefined) continue;
    const named = { port, protocol: protocol.toLowerCase() as Protocol };
    const exposed = snapshot.ports.find((own) => own.port === port && own.protocol === named.protocol);
    ports.set(`${port}/${named.protocol}`, exposed ?? { ...named, published: [] });
  }
  if (items.length > MAX_PORTS) note(`${shown(setting.variable)} has more than ${MAX_PORTS} ports`);
  return ports.size === 0 ? snapshot : { ...snapshot, ports: [...ports.values()] };
}

/** The port number in a setting; undefined, with a note, if it is not one. */
export function portNumber(setting: Variable, note: Note): number | undefined {
  const text = setting.value.trim();
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  note(refusal(setting, text));
  return undefined;
}

function refusal({ variable }: Variable, text: string): string {
  return `${shown(variable)} ${JSON.stringify(shown(text))} is refused: expected a port from 1 to 65535`;
}
