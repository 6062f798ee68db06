import { OWNER_META, type Service } from '../../services/service.ts';
import { readNode } from './api/answers.ts';
import type { ConsulClient } from './api/client.ts';

/**
 * Returns the service with the tags of its catalog entry, if EnableTagOverride lets others change them. An agent learns
 * changed tags only with its next full sync; a registration before that would undo them. Tags of another container's
 * entry do not count: a replaced container starts with its own tags.
 * @throws HeddleError `unreachable`
 */
export async function withOverriddenTags(
  service: Service,
  { client, node, signal }: { client: ConsulClient; node: string; signal?: AbortSignal | undefined },
): Promise<Service> {
  const call = {
    attempt: `cannot read the tags of ${service.name}`,
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
