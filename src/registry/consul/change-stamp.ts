import type { AgentIdentity } from './agent-identity.ts';
import { readAnything } from './api/answers.ts';
import type { ConsulClient } from './api/client.ts';

/** Filters that match nothing: the answers are short, but carry the index of the whole list. */
export const NO_SERVICE = 'ID == ""';
const NO_CHECK = 'CheckID == ""';

/**
 * A string that changes whenever the agent's services may have changed: with the agent's identity, with its counters,
 * or with the catalog, which follows an agent's change within moments. Undefined if the catalog sends no index.
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
