import { ConsulRegistry } from '../../../src/registry/consul/agent-registry.ts';
import { ConsulClient } from '../../../src/registry/consul/api/client.ts';
import { CatalogRegistry } from '../../../src/registry/consul/catalog-registry.ts';
import { ConsulLookups } from '../../../src/registry/consul/lookups.ts';
import { EmbeddedRegistry } from '../../../src/registry/embedded.ts';
import type { RegistrySettings } from '../../../src/registry/open.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { withOwnerMeta } from '../../../src/services/naming/identity.ts';
import type { Service } from '../../../src/services/service.ts';
import { ConsulAgent } from '../../support/consul.ts';
import { FakeConsul } from '../../support/fake-consul.ts';
import { containerId } from '../../support/snapshot.ts';

export const HOST = 'h1';

/** Registry settings without any value set. */
export const PLAIN: RegistrySettings = {
  registry: { kind: 'embedded' },
  consulMode: 'agent',
  consulToken: undefined,
  consulTokenFile: undefined,
  consulTls: false,
  consulAuth: undefined,
  consulCa: undefined,
  consulCaPath: undefined,
  consulServerName: undefined,
  consulVerify: true,
  consulCert: undefined,
  consulKey: undefined,
  consulDatacenter: undefined,
  consulNamespace: undefined,
  consulPartition: undefined,
  ip: undefined,
};

export const serviceOf = (changes: Partial<Service> = {}, host = HOST): Service => {
  const plain = {
    id: `heddle:${host}:c0ffee000000:80`,
    name: 'web',
    tags: ['v2', 'site1.customer1', 'a,b', 'Größe'],
    address: '10.2.1.1',
    port: 80,
    meta: { region: 'eu' },
    checks: [],
    weights: { passing: 10, warning: 3 },
    ...changes,
  };
  return withOwnerMeta(plain, host, containerId('c0ffee'));
};

/** One implementation under test; `registry` is the same store as the heddle of a given host sees it. */
export interface Subject {
  registry(host: string): Registry;
  /** The port of Consul's API; 0 without one. */
  readonly port: number;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const clients: ConsulClient[] = [];

/** Closes every client of a test file; call it after all its tests. */
export function closeClients(): void {
  for (const client of clients.splice(0)) client.close();
}

/** Closes a client with the others. */
export function closesLater(client: ConsulClient): ConsulClient {
  clients.push(client);
  return client;
}

export function clientAt(port: number): ConsulClient {
  return closesLater(new ConsulClient({ kind: 'consul', host: '127.0.0.1', port, tls: false }));
}

export const consulAt = (port: number, host: string) =>
  new ConsulRegistry(clientAt(port), { hostId: host, watchEvery: 100 });
export const catalogAt = (port: number, host: string) =>
  new CatalogRegistry(clientAt(port), { hostId: host, address: () => '192.0.2.7', watchEvery: 100 });
export const lookupsAt = (port: number) => new ConsulLookups(clientAt(port));

class EmbeddedSubject implements Subject {
  readonly #embedded = new EmbeddedRegistry();
  readonly port = 0;
  registry = () => this.#embedded;
  async start() {}
  async stop() {}
}

class FakeSubject implements Subject {
  #fake: FakeConsul | undefined;
  registry = (host: string) => consulAt(this.port, host);
  get port() {
    return this.#fake?.port ?? 0;
  }
  async start() {
    this.#fake = await FakeConsul.start();
  }
  async stop() {
    await this.#fake?.stop();
  }
}

export class RealSubject implements Subject {
  readonly agent = new ConsulAgent({ portOffset: 11_000 });
  readonly port = this.agent.httpPort;
  registry: (host: string) => Registry = (host) => consulAt(this.port, host);
  start = () => this.agent.start();
  stop = () => this.agent.stop();
}

class CatalogSubject extends RealSubject {
  override registry = (host: string) => catalogAt(this.port, host);
}

interface Kind {
  /** Shared by several hosts. */
  readonly shared?: boolean;
  /** A real Consul, whose own API can be queried. */
  readonly real?: boolean;
}

export const subjects: readonly (readonly [string, () => Subject, Kind])[] = [
  ['the embedded registry', () => new EmbeddedSubject(), {}],
  ['Consul, in memory', () => new FakeSubject(), { shared: true }],
  ['Consul, a real agent', () => new RealSubject(), { shared: true, real: true }],
  ['the catalog of a real Consul', () => new CatalogSubject(), { shared: true, real: true }],
];
