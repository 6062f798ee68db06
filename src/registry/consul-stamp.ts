import type { ConsulClient } from './consul-client.ts';

interface SelfJson {
  readonly Config: { readonly NodeName: string; readonly NodeID: string };
  /** Of the agent, as texts: `services` and `checks` among others. */
  readonly Stats?: { readonly agent?: Readonly<Record<string, string>> };
}

/** Filters that nothing passes: the answers are short, and their indexes those of everything. */
const NO_SERVICE = 'ID == ""';
const NO_CHECK = 'CheckID == ""';

/**
 * Another text whenever an agent may hold other services, or hold them otherwise: it has become another agent, has
 * more or fewer of them, or the catalog has moved, as an agent sees to within moments. Undefined where the catalog has
 * no index for us.
 * @throws HeddleError as ConsulClient does
 */
export async function stampOf(client: ConsulClient, signal: AbortSignal): Promise<string | undefined> {
  const attempt = 'cannot watch services';
  const { Config, Stats } = await client.get<SelfJson>({ attempt, path: '/agent/self', signal });
  const params = { node: Config.NodeName };
  const index = async (path: string, filter: string) =>
    (await client.getIndexed({ attempt, path, params, query: { filter }, signal })).index;
  const indexes = await Promise.all([
    index('/catalog/node/{node}', NO_SERVICE),
    index('/health/node/{node}', NO_CHECK),
  ]);
  return indexes.includes(0) ? undefined : JSON.stringify([Config.NodeID, Stats?.agent, indexes]);
}
