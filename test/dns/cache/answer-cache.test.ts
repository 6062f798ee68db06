import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AnswerCache } from '../../../src/dns/cache/answer-cache.ts';
import {
  cacheKeyOf,
  circumstancesOf,
  hashOf,
  matchesKey,
  nameEnd,
} from '../../../src/dns/cache/cache-key.ts';
import { Desired } from '../../../src/registry/reconcile/desired.ts';
import { RegistryView } from '../../../src/registry/view/view.ts';
import { silentLogger } from '../../../src/runtime/log.ts';
import { count } from '../../support/counts.ts';
import { entryOf } from '../../support/roster.ts';
import { containerId } from '../../support/snapshot.ts';
import { queryBytes } from '../ask.ts';
import { ChangingView, change, expectAlike, packetOf, question, responderOf } from '../changing.ts';
import { rcodeOf } from '../read.ts';

const step = fc.oneof(
  { weight: 1, arbitrary: change.map((changed) => ({ changed, asked: undefined })) },
  { weight: 12, arbitrary: question.map((asked) => ({ changed: undefined, asked })) },
);

/** A million questions take longer than other tests. */
const MINUTES = count(30_000, 2_400_000);

test(
  'cached answers are the plain ones, whatever changes in between',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 50, maxLength: 150 }), async (steps) => {
        const view = new ChangingView();
        view.set('web', ['10.2.1.1', '10.2.1.2']);
        const [plain, cached] = [responderOf(view), responderOf(view, new AnswerCache())];
        let answered = 0;
        for (const { changed, asked } of steps) {
          if (changed) view.set(changed.name, changed.addresses, changed.status);
          if (!asked) continue;
          const packet = packetOf(asked);
          const ask = async (transport = asked.transport) =>
            (await plain.respond(packet, asked.client, transport)) as Buffer;
          const expected = await ask();
          // Twice, since the first one only fills the cache.
          for (let turn = 0; turn < 2; turn += 1) {
            const actual = (await cached.respond(packet, asked.client, asked.transport)) as Buffer;
            await expectAlike(actual, expected, ask);
            answered += 1;
          }
        }
        const counted = Object.values(cached.counters.queries).reduce((sum, one) => sum + one, 0);
        expect(counted).toBe(answered);
      }),
      { numRuns: count(20, 11_000), endOnFailure: true },
    );
  },
  MINUTES,
);

test('answers of the registry view of this host are cached until a container ends', async () => {
  const desired = new Desired({ log: silentLogger }, { hostId: 'h1' });
  const node = () => ({ name: 'here', address: '192.0.2.1', meta: {} });
  const view = new RegistryView(
    { desired, rejected: () => false, node, checkedBy: 'heddle' },
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

  test('answers a repeated question at once, without asking the view again', async () => {
    const { ask } = setUp(['10.2.1.1']);
    expect(ask()).toBeInstanceOf(Promise);
    await ask();
    expect(addressesIn(ask() as Buffer)).toEqual(['10.2.1.1']);
  });

  test('does not use an answer that cannot be checked', async () => {
    const { view, ask } = setUp(['10.2.1.1']);
    await ask();
    const { instances } = view;
    view.instances = () => {
      throw new Error('cannot be checked');
    };
    const failed = dnsPacket.decode((await ask()) as Buffer) as { readonly rcode?: string };
    expect(failed.rcode).toBe('SERVFAIL');
    view.instances = instances;
    expect(addressesIn((await ask()) as Buffer)).toEqual(['10.2.1.1']);
  });

  test('evicts an answer as soon as it is no longer right (TestServerDbCacheInvalidation)', async () => {
    const { view, ask } = setUp(['10.2.1.1']);
    await ask();
    view.set('web', ['10.2.1.2']);
    expect(addressesIn((await ask()) as Buffer)).toEqual(['10.2.1.2']);
    view.set('web', []);
    expect(rcodeOf(dnsPacket.decode((await ask()) as Buffer))).toBe('NXDOMAIN');
  });

  test('evicts answers when the datacenter is renamed', async () => {
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

  test('gives every order with equal probability', async () => {
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

  test('answers a question in the letter case of the query', async () => {
    const { view, ask } = setUp(['10.2.1.1', '10.2.1.2']);
    await ask();
    const responder = responderOf(view, new AnswerCache());
    await responder.respond(packet, '10.2.1.1', 'udp');
    const reply = responder.respond(queryBytes('wEb.SERVICE.Consul', 'A'), '10.2.1.1', 'udp');
    expect(reply).toBeInstanceOf(Buffer);
    const { questions, answers } = dnsPacket.decode(reply as Buffer);
    expect([...(questions ?? []), ...(answers ?? [])].map(({ name }) => name)).toEqual(
      Array.from({ length: 3 }, () => 'wEb.SERVICE.Consul'),
    );
  });

  test('caches that a name does not exist until it does', async () => {
    const { view, ask } = setUp([]);
    await ask();
    expect(rcodeOf(dnsPacket.decode(ask() as Buffer))).toBe('NXDOMAIN');
    view.set('web', ['10.2.1.1']);
    expect(addressesIn((await ask()) as Buffer)).toEqual(['10.2.1.1']);
  });

  test.each([
    ['that exist', ['10.2.1.1'], { maxBytes: 6_300 }],
    ['that do not exist', [], { maxAbsent: 10 }],
  ])('caches no more names than fit: %s', async (_what, addresses, options) => {
    const view = new ChangingView();
    const responder = responderOf(view, new AnswerCache(options));
    const ask = (index: number) =>
      responder.respond(queryBytes(`web${index}.service.consul`, 'A'), '10.2.1.1', 'udp');
    for (let index = 0; index < 100; index += 1) {
      view.set(`web${index}`, addresses);
      await ask(index);
    }
    const kept = Array.from({ length: 100 }, (_, index) => ask(99 - index)).filter(Buffer.isBuffer);
    expect(kept.length).toBe(10);
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
])('%s is cached: %s', (_what, packet, kept) => {
  expect(cacheKeyOf(packet, circumstancesOf('udp', true)) !== undefined).toBe(kept);
});

describe('the key of a query', () => {
  const udp = circumstancesOf('udp', true);
  const one = queryBytes('Web.x', 'A', { id: 1 });
  const compare = (other: Buffer, circumstances: number) => {
    const key = cacheKeyOf(one, udp);
    const end = nameEnd(other);
    if (!key || end === undefined) throw new Error('no key');
    return [hashOf(other, end, circumstances) === key.hash, matchesKey(other, end, circumstances, key)];
  };

  test('is the same whatever the id and the case of its letters', () => {
    expect(compare(queryBytes('wEB.X', 'A', { id: 2 }), udp)).toEqual([true, true]);
  });

  test.each([
    ['name', queryBytes('wab.x', 'A'), udp],
    ['labels', queryBytes('w.bax', 'A'), udp],
    ['type', queryBytes('web.x', 'AAAA'), udp],
    ['flags', queryBytes('web.x', 'A', { rd: false }), udp],
    ['size', queryBytes('web.x', 'A', { edns: { size: 512 } }), udp],
    ['transport', one, circumstancesOf('tcp', true)],
    ['recursion', one, circumstancesOf('udp', false)],
  ])('differs for another %s', (_what, other, circumstances) => {
    expect(compare(other, circumstances)).toEqual([false, false]);
  });

  test('ignores case only in names: types 65 and 97 differ', () => {
    const ofType = (type: number) => {
      const packet = Buffer.from(one);
      packet.writeUInt16BE(type, packet.length - 4);
      return packet;
    };
    const key = cacheKeyOf(ofType(65), udp);
    expect(key && matchesKey(ofType(97), nameEnd(one) as number, udp, key)).toBe(false);
  });
});
