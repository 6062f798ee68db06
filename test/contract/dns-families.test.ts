import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reverseName } from '../../src/dns/lookup.ts';
import { NameTable } from '../../src/dns/names/name-table.ts';
import { Resolver } from '../../src/dns/resolve.ts';
import { Responder } from '../../src/dns/responder.ts';
import { ReverseZone } from '../../src/dns/zones/reverse.ts';
import { ServiceZone } from '../../src/dns/zones/service.ts';
import { SERVICE_ZONE_DEFAULTS, type ServiceZoneSettings } from '../../src/dns/zones/settings.ts';
import { ConsulRegistry } from '../../src/registry/consul/agent-registry.ts';
import { ConsulClient } from '../../src/registry/consul/api/client.ts';
import { CatalogRegistry } from '../../src/registry/consul/catalog-registry.ts';
import { Desired } from '../../src/registry/reconcile/desired.ts';
import { Reconciler } from '../../src/registry/reconcile/reconciler.ts';
import type { Registry, View } from '../../src/registry/registry.ts';
import { RegistryView } from '../../src/registry/view/view.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { queryBytes } from '../dns/ask.ts';
import { comparable } from '../dns/comparable.ts';
import { ConsulAgent } from '../support/consul.ts';
import { exchange } from '../support/exchange.ts';
import { entryOf } from '../support/roster.ts';

describe('a container with addresses of both families', () => {
  const agent = new ConsulAgent({ portOffset: 40 });
  const settings = { ...SERVICE_ZONE_DEFAULTS, node: 'heddle-n1' };
  beforeAll(() => agent.start());
  afterAll(() => agent.stop());

  test.each<[string, (client: ConsulClient) => Registry]>([
    ['its agent', (client) => new ConsulRegistry(client, { hostId: 'h1' })],
    ['its catalog', (client) => new CatalogRegistry(client, { hostId: 'h1', address: () => '192.0.2.7' })],
  ])("has Consul's answers, registered with %s, and follows its changes", async (_, registryOf) => {
    const client = new ConsulClient({ kind: 'consul', host: '127.0.0.1', port: agent.httpPort, tls: false });
    const registry = registryOf(client);
    const desired = new Desired({ log: silentLogger }, { hostId: 'h1' });
    const reconciler = new Reconciler({ registry, desired, log: silentLogger }, { onStop: 'deregister' });
    const node = () => ({ name: 'heddle-n1', address: '127.0.0.1', meta: {} });
    const { checkedBy } = registry;
    const view = new RegistryView({ desired, node, checkedBy, rejected: () => false }, { hostId: 'h1' });
    const ours = async (packet: Buffer) =>
      comparable((await responder(view, settings).respond(packet, '127.0.0.1', 'udp')) as Buffer);
    const ask = async (name: string, type: string) => {
      const packet = queryBytes(name, type);
      const theirs = comparable(await exchange(agent.dnsPort, packet, 'udp'));
      expect(await ours(packet), `${name} ${type}`).toEqual(theirs);
      return theirs.answers.map((text) => text.split(' ').at(-1));
    };
    const isAt = async (ipv6: string | undefined) => {
      desired.set(entryOf({ env: { SERVICE_NAME: 'web' }, ports: [80], ipv6 }));
      await reconciler.flush();
      expect(await ask('web.service.consul', 'A')).toEqual(['10.2.1.1']);
      expect(await ask('web.service.consul', 'AAAA')).toEqual(ipv6 === undefined ? [] : [ipv6]);
      // Either address is right for these: Consul gives the IPv6 one.
      expect(await ask('web.service.consul', 'ANY')).toEqual([ipv6 ?? '10.2.1.1']);
      await ask('web.service.consul', 'SRV');
      expect(await ask(reverseName('10.2.1.1'), 'PTR')).toHaveLength(1);
      for (const ip of ['fd00::1', 'fd00::2']) {
        // Only heddle has the reverse name of the other address; Consul has that of the service's own.
        const { answers } = await ours(queryBytes(reverseName(ip), 'PTR'));
        expect(answers, ip).toHaveLength(ip === ipv6 ? 1 : 0);
      }
    };
    try {
      await reconciler.start();
      for (const ipv6 of ['fd00::1', 'fd00::2', undefined]) await isAt(ipv6);
      expect(Object.keys(await agent.get<object>('/v1/catalog/service/web'))).toHaveLength(1);
    } finally {
      await reconciler.stop();
      client.close();
    }
  });
});

function responder(view: View, settings: ServiceZoneSettings): Responder {
  const zones = [
    new ServiceZone({ view }, settings),
    new ReverseZone({ view, names: new NameTable() }, settings, []),
  ];
  const resolver = new Resolver({ zones, log: silentLogger });
  return new Responder({ resolver, recursionFor: () => false, log: silentLogger });
}
