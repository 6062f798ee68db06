/**
 * heddle's resolver on loopback with the services of names.ts, without Docker and registry:
 * `heddle-server.ts PORT COUNT ADDRESSES|mixed plain|cached|batched CHANGES-A-SECOND`. `batched` also caches.
 */
import { AnswerCache } from '../../src/dns/cache/answer-cache.ts';
import { LocalNetworks } from '../../src/dns/local-networks.ts';
import { Resolver } from '../../src/dns/resolve.ts';
import { Responder } from '../../src/dns/responder.ts';
import { RateLimit } from '../../src/dns/server/rate-limit.ts';
import { DnsServer } from '../../src/dns/server/server.ts';
import { ServiceZone } from '../../src/dns/zones/service.ts';
import { SERVICE_ZONE_DEFAULTS } from '../../src/dns/zones/settings.ts';
import type { Instance } from '../../src/registry/registry.ts';
import { createLogger } from '../../src/runtime/log.ts';
import { DEFAULT_WEIGHTS } from '../../src/services/service.ts';
import { type Named, PORT_OF_SERVICES, services } from './names.ts';
import { CLOCK, clockAddress } from './staleness.ts';

const [port = '', count = '', addresses = '', kind = '', changes = ''] = process.argv.slice(2);
const all = services(Number(count), addresses === 'mixed' ? undefined : Number(addresses));
const instances = new Map(all.map((named) => [named.name, instancesOf(named)]));

function instancesOf({ name, addresses: ips }: Named): readonly Instance[] {
  return ips.map((address, index) => ({
    node: 'bench',
    nodeAddress: '127.0.0.1',
    status: 'passing',
    service: {
      id: `${name}-${index}`,
      name,
      tags: [],
      address,
      port: PORT_OF_SERVICES,
      meta: {},
      checks: [],
      weights: DEFAULT_WEIGHTS,
    },
  }));
}

const view = {
  instances: (service: string) => instances.get(service) ?? [],
  node: () => ({ address: '127.0.0.1', meta: {} }),
};
const log = createLogger({ level: 'error', pretty: false }, process.stderr);
const local = new LocalNetworks();
const isLocal = (client: string) => local.includes(client);
const responder = new Responder({
  resolver: new Resolver({
    zones: [new ServiceZone({ view }, { ...SERVICE_ZONE_DEFAULTS, node: 'bench' })],
    log,
  }),
  recursionFor: isLocal,
  limit: new RateLimit(isLocal),
  ...(kind !== 'plain' && { cache: new AnswerCache() }),
  log,
});
await new DnsServer(
  { responder, log },
  {
    listen: [{ ip: '127.0.0.1', port: Number(port) }],
    udp: { batched: kind === 'batched' },
  },
).start();

if (Number(changes) > 0) {
  let turn = 0;
  setInterval(() => {
    const named = all[turn % all.length] as Named;
    turn += 1;
    for (const changed of [named, { name: CLOCK, addresses: [clockAddress(Date.now())] }]) {
      instances.set(changed.name, instancesOf(changed));
    }
  }, 1000 / Number(changes));
}
