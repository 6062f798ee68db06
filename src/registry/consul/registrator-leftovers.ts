import { OWNER_META } from '../../services/service.ts';
import { ConsulAccess } from './api/access.ts';
import { readAgentServices } from './api/answers.ts';
import type { ConsulClient } from './api/client.ts';
import { readSelf } from './api/self.ts';
import type { Leftover } from './leftovers.ts';

/**
 * Removes the services that a registrator registered with this agent, identified only by the form of their ids; with
 * `dryRun` only finds them. A service with a SERVICE_ID cannot be identified, and stays.
 * @throws HeddleError `unreachable`, or `refused` with Consul's message
 */
export async function removeRegistratorLeftovers(
  client: ConsulClient,
  hostname: string,
  options: { readonly dryRun: boolean },
): Promise<readonly Leftover[]> {
  const attempt = 'cannot find the services that a registrator left';
  const { node } = await client.get({ attempt, path: '/agent/self' }, readSelf);
  const held = await client.get({ attempt, path: '/agent/services' }, readAgentServices);
  if (held.length === 0) await new ConsulAccess(client).proveReading();
  const leftovers: Leftover[] = [];
  for (const { id, name, meta } of held) {
    if (!isRegistratorId(id, hostname) || meta[OWNER_META.owner] !== undefined) continue;
    if (!options.dryRun) await remove(client, id);
    leftovers.push({ node, id, name, outcome: options.dryRun ? 'found' : 'removed' });
  }
  return leftovers;
}

/** `HOSTNAME:container:port`, optionally with `:udp`; the container's name as Docker allows it. */
export function isRegistratorId(id: string, hostname: string): boolean {
  const rest = id.startsWith(`${hostname}:`) ? id.slice(hostname.length + 1) : '';
  return /^[A-Za-z0-9][\w.-]*:\d{1,5}(:udp)?$/.test(rest);
}

async function remove(client: ConsulClient, id: string): Promise<void> {
  const path = '/agent/service/deregister/{id}';
  await client.put({ attempt: `cannot remove ${id}`, path, params: { id } });
}
