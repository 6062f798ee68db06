import type { AgentIdentity } from './agent-identity.ts';
import { readAnything } from './api/answers.ts';
import type { ConsulClient } from './api/client.ts';

/** Filters that nothing passes: the answers are short, and their indexes those of everything. */
export const NO_SERVICE = 'ID == ""';
const NO_CHECK = 'CheckID == ""';

/**
 * Another text whenever an agent may hold other services, or hold them otherwise: it has become another agent, has
 * more or fewer of them, or the catalog has moved, as an agent sees to within moments. Undefined where the catalog has
 * no index for us.
 * @throws HeddleError as ConsulClient does
 */
export async function stampOf(
  { client, identity }: { readonly client: ConsulClient; readonly identity: AgentIdentity },
  signal: AbortSignal,
): Promise<string | undefined> {
  const attempt = 'cannot watch services';
  const { node, nodeId, counters } = await identity.read(signal);
  const params = { node };
  const index = async (path: string, filter: string) =>
    (await client.getIndexed({ attempt, path, params, query: { filter }, signal }, readAnything)).index;
  const indexes = await Promise.all([
    index('/catalog/node/{node}', NO_SERVICE),
    index('/health/node/{node}', NO_CHECK),
  ]);
  return indexes.includes(0) ? undefined : JSON.stringify([node, nodeId, counters, indexes]);
}
