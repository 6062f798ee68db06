import PQueue from 'p-queue';
import { OWNER } from '../../services/naming/identity.ts';
import { OWNER_META } from '../../services/service.ts';
import { ConsulAccess } from './api/access.ts';
import { isQueryable, readCatalogInstances, readKeys, readNode, readStatuses } from './api/answers.ts';
import type { ConsulClient } from './api/client.ts';
import { unlessNotFound } from './api/errors.ts';
import { readSelf } from './api/self.ts';
import { nodeNameOf } from './catalog-registry.ts';

/** An owner that no longer runs: a heddle, by its host-id, or a registrator, by the hostname in its ids. */
export type FormerOwner = { readonly hostId: string } | { readonly registrator: string };

/** A service that a former owner left in Consul. */
export interface Leftover {
  readonly node: string;
  readonly id: string;
  readonly name: string;
  /**
   * `kept` if the node's agent is alive and would restore the service. `skipped` if Consul cannot be queried for it:
   * for one service or, without node and id, for all services of a name.
   */
  readonly outcome: 'removed' | 'kept' | 'found' | 'skipped';
}

/** Names queried concurrently. */
const CONCURRENCY = 8;

/**
 * Removes all services with this host-id in their Meta from the catalog; with `dryRun` only finds them.
 * @throws HeddleError `unreachable`, or `refused` with Consul's message
 */
export async function removeLeftovers(
  client: ConsulClient,
  hostId: string,
  options: { readonly dryRun: boolean },
): Promise<readonly Leftover[]> {
  const found = await findLeftovers(client, hostId);
  const leftovers = await Promise.all(
    found.map(async (one): Promise<Leftover> => {
      if (one.outcome === 'skipped' || options.dryRun) return one;
      return { ...one, outcome: await remove(client, one, hostId) };
    }),
  );
  if (!options.dryRun) await removeNode(client, nodeNameOf(hostId));
  return leftovers;
}

/** The catalog has no query by Meta across services, so every name is queried with a filter. */
async function findLeftovers(client: ConsulClient, hostId: string): Promise<readonly Leftover[]> {
  const attempt = 'cannot find the services that the host left';
  const names = await client.get({ attempt, path: '/catalog/services' }, readKeys);
  const marks = { [OWNER_META.owner]: OWNER, [OWNER_META.host]: hostId };
  const filter = Object.entries(marks)
    .map(([key, value]) => `ServiceMeta["${key}"] == "${value}"`)
    .join(' and ');
  const queue = new PQueue({ concurrency: CONCURRENCY });
  const found = await queue.addAll(
    names.map((service) => async (): Promise<readonly Leftover[]> => {
      if (!isQueryable(service)) return [{ node: '', id: '', name: service, outcome: 'skipped' }];
      const path = '/catalog/service/{service}';
      const there = await client.get(
        { attempt, path, params: { service }, query: { filter } },
        readCatalogInstances,
      );
      return there.map((one) => ({ ...one, outcome: 'found' }));
    }),
  );
  const leftovers = found.flat();
  if (leftovers.length === 0) await new ConsulAccess(client).proveReadingCatalog();
  return leftovers;
}

async function remove(client: ConsulClient, one: Leftover, hostId: string): Promise<Leftover['outcome']> {
  const { node, id } = one;
  const attempt = `cannot remove ${id}`;
  if (node !== nodeNameOf(hostId)) {
    if (!isQueryable(node)) return 'skipped';
    const self = await client.get({ attempt, path: '/agent/self' }, readSelf);
    if (self.node === node) {
      if (!isQueryable(id)) return 'skipped';
      const removal = { attempt, path: '/agent/service/deregister/{id}', params: { id } };
      await client.put(removal).catch(unlessNotFound);
      return 'removed';
    }
    if (await agentLives(client, node)) return 'kept';
  }
  const body = { Datacenter: client.datacenter, Node: node, ServiceID: id };
  await client.put({ attempt, path: '/catalog/deregister', body });
  return 'removed';
}

/** A running agent restores services that are deleted from the catalog. */
async function agentLives(client: ConsulClient, node: string): Promise<boolean> {
  const attempt = `cannot read the health of ${node}`;
  const statuses = await client.get({ attempt, path: '/health/node/{node}', params: { node } }, readStatuses);
  return statuses.get('serfHealth') === 'passing';
}

async function removeNode(client: ConsulClient, node: string): Promise<void> {
  const attempt = `cannot remove the node ${node}`;
  const params = { node };
  const there = await client.get({ attempt, path: '/catalog/node/{node}', params }, readNode);
  if (there === null) return;
  const body = { Datacenter: client.datacenter, Node: node };
  await client.put({ attempt, path: '/catalog/deregister', body });
}
