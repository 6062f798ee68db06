import { OWNER_META, type Service } from '../../services/service.ts';
import { readNode } from './api/answers.ts';
import type { ConsulClient } from './api/client.ts';

/**
 * A service as it is to be registered at a node: where others may change its tags, with those that its entry has in
 * the catalog. An agent learns of them only with its next full sync, and a registration before that would take them
 * back. The entry of another container is none: its successor begins with its own tags.
 * @throws HeddleError `unreachable`
 */
export async function withOverriddenTags(
  service: Service,
  { client, node, signal }: { client: ConsulClient; node: string; signal?: AbortSignal | undefined },
): Promise<Service> {
  const call = {
    attempt: `cannot look at the tags of ${service.name}`,
    path: '/catalog/node/{node}',
    params: { node },
    query: { filter: `ID == ${JSON.stringify(service.id)}` },
    signal,
  };
  const held = await client.get(call, readNode);
  const entry = held?.services.find(({ id }) => id === service.id);
  const same = entry?.meta[OWNER_META.container] === service.meta[OWNER_META.container];
  return same && entry?.enableTagOverride === true ? { ...service, tags: entry.tags } : service;
}
