import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AnswerCache, cacheKey } from '../../src/dns/answer-cache.ts';
import { Resolver } from '../../src/dns/resolve.ts';
import { Responder } from '../../src/dns/responder.ts';
import { ServiceZone } from '../../src/dns/zones/service.ts';
import { SERVICE_ZONE_DEFAULTS } from '../../src/dns/zones/settings.ts';
import { silentLogger } from '../../src/log.ts';
import { Desired } from '../../src/registry/desired.ts';
import type { Instance, NodeEntry, View } from '../../src/registry/registry.ts';
import { RegistryView } from '../../src/registry/view.ts';
import { count } from '../support/counts.ts';
import { entryOf } from '../support/roster.ts';
import { containerId } from '../support/snapshot.ts';
import { queryBytes } from './ask.ts';
import { flagsOf, rcodeOf, textOf } from './read.ts';

/** Services that change, and how often anybody looked at them. */
class ChangingView {
  readonly services = new Map<string, Instance[]>();
  datacenter = 'dc1';

  instances(service: string): readonly Instance[] {
    return [...(this.services.get(service) ?? [])];
  }

  node(): NodeEntry {
    return { address: '192.0.2.1', meta: {} };
  }

  set(name: string, addresses: readonly string[], status: Instance['status'] = 'passing'): void {
    this.services.set(
      name,
      addresses.map((address, index) => ({
        node: 'n1',
        nodeAddress: '192.0.2.1',
        status,
        service: {
          id: `${name}-${index}`,
          name,
          tags: index % 2 === 0 ? ['even'] : ['odd'],
          address,
          port: 80 + index,
          meta: {},
          checks: [],
          weights: { passing: 10, warning: 3 },
        },
      })),
    );
  }
}

function responderOf(
  view: Pick<View, 'instances' | 'node'> & { readonly datacenter?: string },
  cache?: AnswerCache,
): Responder {
  const settings = {
    ...SERVICE_ZONE_DEFAULTS,
    node: 'n1',
    get datacenter() {
      return view.datacenter ?? 'dc1';
    },
  };
  // A moment for ever: the serial of the SOA is the time.
  const zones = [new ServiceZone({ view, now: () => 0 }, settings)];
  return new Responder({
    resolver: new Resolver({ zones, log: silentLogger }),
    recursionFor: (client) => client.startsWith('10.'),
    ...(cache && { cache }),
    log: silentLogger,
  });
}

const address = fc.oneof(
  { weight: 6, arbitrary: fc.nat(200).map((last) => `10.2.1.${last}`) },
  fc.constantFrom('fd00::1', '', 'backend.example.com', 'web.service.consul', '10.2.1.7/16'),
);
const change = fc.record({
  name: fc.constantFrom('web', 'db', 'big'),
  addresses: fc.oneof(
    fc.array(address, { maxLength: 4 }),
    fc.array(address, { minLength: 40, maxLength: 60 }),
  ),
  status: fc.constantFrom('passing' as const, 'warning' as const, 'critical' as const),
});
const query = fc.record({
  name: fc.constantFrom(
    'web.service.consul',
    'WEB.Service.consul',
    'even.web.service.consul',
    'db.service.dc1.consul',
    '_db._tcp.service.consul',
    'big.service.consul',
    'nope.service.consul',
    '0a020101.addr.consul',
  ),
  type: fc.constantFrom('A', 'AAAA', 'SRV', 'ANY', 'TXT', 'MX'),
  rd: fc.boolean(),
  size: fc.constantFrom(undefined, 512, 1232, 4096),
  transport: fc.constantFrom('udp' as const, 'tcp' as const),
  client: fc.constantFrom('10.2.1.1', '198.51.100.7'),
  id: fc.nat(0xffff),
});
const step = fc.oneof(
  { weight: 1, arbitrary: change.map((changed) => ({ change: changed, query: undefined })) },
  { weight: 12, arbitrary: query.map((asked) => ({ change: undefined, query: asked })) },
);

/** A million questions take longer than other tests. */
const MINUTES = count(30_000, 1_200_000);

/** What two replies must have in common: everything but the order, and which and how many where not all fit. */
function essence(reply: Buffer) {
  const decoded = dnsPacket.decode(reply);
  const sorted = (records: readonly dnsPacket.Answer[] = []) => records.map(textOf).sort();
  const common = [decoded.id, rcodeOf(decoded), flagsOf(decoded), decoded.questions];
  if (decoded.flag_tc) return common;
  const chosen = decoded.answers?.[0]?.type === 'CNAME' ? ['CNAME'] : sorted(decoded.answers);
  return [...common, reply.length, chosen, sorted(decoded.authorities), sorted(decoded.additionals)];
}

test(
  'cached answers are the plain ones, whatever changes in between',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 50, maxLength: 150 }), async (steps) => {
        const view = new ChangingView();
        view.set('web', ['10.2.1.1', '10.2.1.2']);
        const [plain, cached] = [responderOf(view), responderOf(view, new AnswerCache())];
        for (const { change: changed, query: asked } of steps) {
          if (changed) view.set(changed.name, changed.addresses, changed.status);
          if (!asked) continue;
          const { name, type, rd, size, transport, client, id } = asked;
          const packet = queryBytes(name, type, { id, rd, ...(size !== undefined && { edns: { size } }) });
          // Twice, since the first one only fills the cache.
          for (let turn = 0; turn < 2; turn += 1) {
            const expected = (await plain.respond(packet, client, transport)) as Buffer;
            const actual = (await cached.respond(packet, client, transport)) as Buffer;
            // Among several host names one is chosen, and its length is the length of the answer.
            if (dnsPacket.decode(expected).answers?.some((answer) => answer.type === 'CNAME')) continue;
            expect(essence(actual)).toEqual(essence(expected));
          }
        }
        expect(cached.counters).toEqual(plain.counters);
      }),
      { numRuns: count(20, 5_000), endOnFailure: true },
    );
  },
  MINUTES,
);

test('what the registry view of this host says is answered from memory, until a container ends', async () => {
  const desired = new Desired({ log: silentLogger }, { hostId: 'h1' });
  const node = () => ({ name: 'here', address: '192.0.2.1', meta: {} });
  const view = new RegistryView(
    { desired, refused: () => false, node, checkedBy: 'heddle' },
    { hostId: 'h1' },
  );
  const responder = responderOf(view, new AnswerCache());
  const run = (id: string, ip: string, running = true) =>
    desired.set(entryOf({ id: containerId(id), ip, running, env: { SERVICE_NAME: 'web' } }));
  const packet = queryBytes('web.service.consul', 'A');
  const ask = () => responder.respond(packet, '10.2.1.1', 'udp');
  run('a', '10.2.1.1');
  run('b', '10.2.1.2');
  await ask();
  const again = ask();
  expect(again).toBeInstanceOf(Buffer);
  expect(dnsPacket.decode(again as Buffer).answers?.length).toBe(2);
  run('b', '10.2.1.2', false);
  expect(dnsPacket.decode((await ask()) as Buffer).answers).toMatchObject([{ data: '10.2.1.1' }]);
  expect(ask()).toBeInstanceOf(Buffer);
});

describe('the answer cache', () => {
  const packet = queryBytes('web.service.consul', 'A');
  const addressesIn = (reply: Buffer) =>
    dnsPacket.decode(reply).answers?.map((answer) => String((answer as { data: unknown }).data));

  function setUp(addresses: readonly string[]) {
    const view = new ChangingView();
    view.set('web', addresses);
    const responder = responderOf(view, new AnswerCache());
    return { view, ask: () => responder.respond(packet, '10.2.1.1', 'udp') };
  }

  test('answers at once, without a new look, what it was asked before', async () => {
    const { ask } = setUp(['10.2.1.1']);
    expect(ask()).toBeInstanceOf(Promise);
    await ask();
    expect(addressesIn(ask() as Buffer)).toEqual(['10.2.1.1']);
  });

  test('forgets an answer in the moment in which it is not true any more', async () => {
    const { view, ask } = setUp(['10.2.1.1']);
    await ask();
    view.set('web', ['10.2.1.2']);
    expect(addressesIn((await ask()) as Buffer)).toEqual(['10.2.1.2']);
    view.set('web', []);
    expect(rcodeOf(dnsPacket.decode((await ask()) as Buffer))).toBe('NXDOMAIN');
  });

  test('forgets what another datacenter was called', async () => {
    const view = new ChangingView();
    view.set('web', ['10.2.1.1']);
    const responder = responderOf(view, new AnswerCache());
    const srv = queryBytes('web.service.consul', 'SRV');
    const target = async () => {
      const reply = (await responder.respond(srv, '10.2.1.1', 'udp')) as Buffer;
      const { answers = [] } = dnsPacket.decode(reply);
      return (answers[0] as dnsPacket.SrvAnswer).data.target;
    };
    await target();
    expect(await target()).toBe('0a020101.addr.dc1.consul');
    view.datacenter = 'dc7';
    expect(await target()).toBe('0a020101.addr.dc7.consul');
  });

  test('gives every order, each as likely as the others', async () => {
    const { ask } = setUp(['10.2.1.1', '10.2.1.2', '10.2.1.3']);
    const seen = new Map<string, number>();
    const asks = 12_000;
    for (let turn = 0; turn < asks; turn += 1) {
      const order = addressesIn((await ask()) as Buffer)?.join() ?? '';
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(seen.size).toBe(6);
    for (const times of seen.values()) expect(times / asks).toBeCloseTo(1 / 6, 1);
  });

  test('keeps no more than it has room for', async () => {
    const view = new ChangingView();
    const cache = new AnswerCache({ maxEntries: 10 });
    const responder = responderOf(view, cache);
    for (let index = 0; index < 100; index += 1) {
      view.set(`web${index}`, ['10.2.1.1']);
      await responder.respond(queryBytes(`web${index}.service.consul`, 'A'), '10.2.1.1', 'udp');
    }
    const kept = Array.from({ length: 100 }, (_, index) => {
      const asked = queryBytes(`web${index}.service.consul`, 'A');
      return cache.find(cacheKey(asked, 'udp', true) as string, asked);
    });
    expect(kept.filter(Boolean).length).toBe(10);
  });
});

test.each([
  ['a query', queryBytes('web', 'A'), true],
  ['one with an OPT record', queryBytes('web', 'A', { edns: { size: 1232 } }), true],
  [
    'one with options',
    queryBytes('web', 'A', { edns: { size: 1232, options: [{ code: 10, data: Buffer.alloc(8) }] } }),
    false,
  ],
  ['half a query', queryBytes('web', 'A').subarray(0, 15), false],
  ['a header', queryBytes('web', 'A').subarray(0, 12), false],
  ['nothing', Buffer.alloc(0), false],
])('%s is kept: %s', (_what, packet, kept) => {
  expect(cacheKey(packet, 'udp', true) !== undefined).toBe(kept);
});
