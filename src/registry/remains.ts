import PQueue from 'p-queue';
import { OWNER } from '../services/identity.ts';
import { OWNER_META } from '../services/service.ts';
import { ConsulAccess } from './consul-access.ts';
import { nodeNameOf } from './consul-catalog.ts';
import type { ConsulClient } from './consul-client.ts';

/** Who is gone: a heddle, by its host-id, or a registrator, by the host's name in its ids. */
export type Gone = { readonly hostId: string } | { readonly registrator: string };

/** A service that somebody who is gone has left in a Consul. */
export interface Remain {
  readonly node: string;
  readonly id: string;
  readonly name: string;
  /** `kept` where the node's own agent lives and would bring it back. */
  readonly outcome: 'removed' | 'kept' | 'found';
}

interface Found {
  readonly Node: string;
  readonly ServiceID: string;
  readonly ServiceName: string;
}

/** Names looked at side by side. */
const CONCURRENCY = 8;

/**
 * Removes what carries the marks of a host, by its host-id, wherever in the catalog; with `dryRun` only finds it.
 * @throws HeddleError `unreachable`, or `refused` with Consul's words
 */
export async function removeRemains(
  client: ConsulClient,
  hostId: string,
  options: { readonly dryRun: boolean },
): Promise<readonly Remain[]> {
  const found = await findRemains(client, hostId);
  const remains = await Promise.all(
    found.map(async (one): Promise<Remain> => {
      const outcome = options.dryRun ? 'found' : await remove(client, one, hostId);
      return { node: one.Node, id: one.ServiceID, name: one.ServiceName, outcome };
    }),
  );
  if (!options.dryRun) await removeNode(client, nodeNameOf(hostId));
  return remains;
}

/** The catalog cannot be asked for Meta across services: every name is looked at, and Consul does the choosing. */
async function findRemains(client: ConsulClient, hostId: string): Promise<readonly Found[]> {
  const attempt = 'cannot look for what the host has left';
  const names = await client.get<Record<string, unknown>>({ attempt, path: '/catalog/services' });
  const marks = { [OWNER_META.owner]: OWNER, [OWNER_META.host]: hostId };
  const filter = Object.entries(marks)
    .map(([key, value]) => `ServiceMeta["${key}"] == "${value}"`)
    .join(' and ');
  const queue = new PQueue({ concurrency: CONCURRENCY });
  const found = await queue.addAll(
    Object.keys(names).map((service) => () => {
      const path = '/catalog/service/{service}';
      return client.get<readonly Found[]>({ attempt, path, params: { service }, query: { filter } });
    }),
  );
  const remains = found.flat();
  if (remains.length === 0) await new ConsulAccess(client).proveReadingCatalog();
  return remains;
}

async function remove(client: ConsulClient, one: Found, hostId: string): Promise<'removed' | 'kept'> {
  const { Node, ServiceID } = one;
  const attempt = `cannot remove ${ServiceID}`;
  if (Node !== nodeNameOf(hostId)) {
    const self = await client.get<{ Config: { NodeName: string } }>({ attempt, path: '/agent/self' });
    if (self.Config.NodeName === Node) {
      await client.put({ attempt, path: '/agent/service/deregister/{id}', params: { id: ServiceID } });
      return 'removed';
    }
    if (await agentLives(client, Node)) return 'kept';
  }
  const body = { Datacenter: client.datacenter, Node, ServiceID };
  await client.put({ attempt, path: '/catalog/deregister', body });
  return 'removed';
}

/** An agent that lives puts back what somebody takes out of the catalog. */
async function agentLives(client: ConsulClient, node: string): Promise<boolean> {
  const checks = await client.get<readonly { CheckID: string; Status: string }[]>({
    attempt: `cannot ask for the health of ${node}`,
    path: '/health/node/{node}',
    params: { node },
  });
  return checks.some(({ CheckID, Status }) => CheckID === 'serfHealth' && Status === 'passing');
}

async function removeNode(client: ConsulClient, node: string): Promise<void> {
  const attempt = `cannot remove the node ${node}`;
  const params = { node };
  const there = await client.get<object | null>({ attempt, path: '/catalog/node/{node}', params });
  if (there === null || there === undefined) return;
  const body = { Datacenter: client.datacenter, Node: node };
  await client.put({ attempt, path: '/catalog/deregister', body });
}
