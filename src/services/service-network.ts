import { type Choice, isIngress } from '../addresses/choose-address.ts';
import type { RosterEntry } from '../roster/entry.ts';
import type { Variable } from './environment.ts';
import { shown } from './meta.ts';
import type { Note } from './note.ts';

/** The address that SERVICE_NETWORK chooses: the one that Docker gave the container on that network. */
export function choiceOnNetwork(
  setting: Variable | undefined,
  { snapshot, choice }: Pick<RosterEntry, 'snapshot' | 'choice'>,
  note: Note,
): Choice {
  const requested = setting?.value.trim() ?? '';
  if (setting === undefined || requested === '') return choice;
  const usable = snapshot.networks.filter((network) => !isIngress(network, snapshot));
  // Compose prefixes the names of networks with its project.
  const ofProject = usable.filter(({ name }) => name.endsWith(`_${requested}`));
  const network =
    usable.find(({ name }) => name === requested) ?? (ofProject.length === 1 ? ofProject[0] : undefined);
  const [ip, ipv6] = [network?.ipv4, network?.ipv6].filter(Boolean);
  if (network === undefined || ip === undefined) {
    const names = usable.map(({ name }) => shown(name)).join(', ');
    const where = names === '' ? 'it is on none' : `it is on ${names}`;
    note(`${shown(setting.variable)}: the container has no address on network ${shown(requested)}; ${where}`);
    return choice;
  }
  const term = `network:${network.name}`;
  const reason = `${setting.variable} names network ${network.name}`;
  return { chosen: true, ip, ...(ipv6 !== undefined && { ipv6 }), term, reason, hostPorts: false };
}
