import { OWNER_META } from '../../services/service.ts';
import { ConsulAccess } from './api/access.ts';
import { readAgentServices } from './api/answers.ts';
import type { ConsulClient } from './api/client.ts';
import { readSelf } from './api/self.ts';
import type { Leftover } from './leftovers.ts';

/**
 * Removes what a registrator registered with the agent at hand, by the form of its ids and by nothing else; with
 * `dryRun` only finds it. What bears a SERVICE_ID has nothing to be known by, and stays.
 * @throws HeddleError `unreachable`, or `refused` with Consul's words
 */
export async function removeRegistrators(
  client: ConsulClient,
  hostname: string,
  options: { readonly dryRun: boolean },
): Promise<readonly Leftover[]> {
  const attempt = 'cannot look for what a registrator has left';
  const { node } = await client.get({ attempt, path: '/agent/self' }, readSelf);
  const held = await client.get({ attempt, path: '/agent/services' }, readAgentServices);
  if (held.length === 0) await new ConsulAccess(client).proveReading();
  const remains: Leftover[] = [];
  for (const { id, name, meta } of held) {
    if (!isRegistrators(id, hostname) || meta[OWNER_META.owner] !== undefined) continue;
    if (!options.dryRun) await remove(client, id);
    remains.push({ node, id, name, outcome: options.dryRun ? 'found' : 'removed' });
  }
  return remains;
}

/** `HOSTNAME:container:port`, and `:udp` behind it; names of containers are as Docker allows them. */
export function isRegistrators(id: string, hostname: string): boolean {
  const rest = id.startsWith(`${hostname}:`) ? id.slice(hostname.length + 1) : '';
  return /^[A-Za-z0-9][\w.-]*:\d{1,5}(:udp)?$/.test(rest);
}

async function remove(client: ConsulClient, id: string): Promise<void> {
  const path = '/agent/service/deregister/{id}';
  await client.put({ attempt: `cannot remove ${id}`, path, params: { id } });
}
