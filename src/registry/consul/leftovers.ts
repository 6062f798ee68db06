import PQueue from 'p-queue';
import { OWNER } from '../../services/naming/identity.ts';
import { OWNER_META } from '../../services/service.ts';
import { ConsulAccess } from './api/access.ts';
import { isAskable, readFound, readKeys, readNode, readStatuses } from './api/answers.ts';
import type { ConsulClient } from './api/client.ts';
import { unlessNotFound } from './api/errors.ts';
import { readSelf } from './api/self.ts';
import { nodeNameOf } from './catalog-registry.ts';

/** Who is gone: a heddle, by its host-id, or a registrator, by the host's name in its ids. */
export type Gone = { readonly hostId: string } | { readonly registrator: string };

/** A service that somebody who is gone has left in a Consul. */
export interface Leftover {
  readonly node: string;
  readonly id: string;
  readonly name: string;
  /**
   * `kept` where the node's own agent lives and would bring it back; `skipped` where Consul cannot be asked for it, be
   * it for one service or, without node and id, for all of a name.
   */
  readonly outcome: 'removed' | 'kept' | 'found' | 'skipped';
}

/** Names looked at side by side. */
const CONCURRENCY = 8;

/**
 * Removes what carries the marks of a host, by its host-id, wherever in the catalog; with `dryRun` only finds it.
 * @throws HeddleError `unreachable`, or `refused` with Consul's words
 */
export async function removeLeftovers(
  client: ConsulClient,
  hostId: string,
  options: { readonly dryRun: boolean },
): Promise<readonly Leftover[]> {
  const found = await findRemains(client, hostId);
  const remains = await Promise.all(
    found.map(async (one): Promise<Leftover> => {
      if (one.outcome === 'skipped' || options.dryRun) return one;
      return { ...one, outcome: await remove(client, one, hostId) };
    }),
  );
  if (!options.dryRun) await removeNode(client, nodeNameOf(hostId));
  return remains;
}

/** The catalog cannot be asked for Meta across services: every name is looked at, and Consul does the choosing. */
async function findRemains(client: ConsulClient, hostId: string): Promise<readonly Leftover[]> {
  const attempt = 'cannot look for what the host has left';
  const names = await client.get({ attempt, path: '/catalog/services' }, readKeys);
  const marks = { [OWNER_META.owner]: OWNER, [OWNER_META.host]: hostId };
  const filter = Object.entries(marks)
    .map(([key, value]) => `ServiceMeta["${key}"] == "${value}"`)
    .join(' and ');
  const queue = new PQueue({ concurrency: CONCURRENCY });
  const found = await queue.addAll(
    names.map((service) => async (): Promise<readonly Leftover[]> => {
      if (!isAskable(service)) return [{ node: '', id: '', name: service, outcome: 'skipped' }];
      const path = '/catalog/service/{service}';
      const there = await client.get({ attempt, path, params: { service }, query: { filter } }, readFound);
      return there.map((one) => ({ ...one, outcome: 'found' }));
    }),
  );
  const remains = found.flat();
  if (remains.length === 0) await new ConsulAccess(client).proveReadingCatalog();
  return remains;
}

async function remove(client: ConsulClient, one: Leftover, hostId: string): Promise<Leftover['outcome']> {
  const { node, id } = one;
  const attempt = `cannot remove ${id}`;
  if (node !== nodeNameOf(hostId)) {
    if (!isAskable(node)) return 'skipped';
    const self = await client.get({ attempt, path: '/agent/self' }, readSelf);
    if (self.node === node) {
      if (!isAskable(id)) return 'skipped';
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

/** An agent that lives puts back what somebody takes out of the catalog. */
async function agentLives(client: ConsulClient, node: string): Promise<boolean> {
  const attempt = `cannot ask for the health of ${node}`;
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
