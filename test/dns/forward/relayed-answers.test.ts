import type { DecodedPacket } from 'dns-packet';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnswerCache } from '../../../src/dns/cache/answer-cache.ts';
import { ForwardZone } from '../../../src/dns/forward/forward.ts';
import { Resolver } from '../../../src/dns/resolve.ts';
import { Responder } from '../../../src/dns/responder.ts';
import { silentLogger } from '../../../src/runtime/log.ts';
import { count } from '../../support/counts.ts';
import { queryBytes } from '../ask.ts';
import { replyTo } from '../upstream.ts';

const STRANGER = '198.51.100.7';

/** Forwarding with a test clock to servers whose answers change all the time. */
function forwarder(now: () => number, cache?: AnswerCache) {
  const client = {
    isLoop: () => false,
    ask: async ({ asked, type }: { readonly asked: string; readonly type: string }) => {
      const query = { id: 1, questions: [{ name: asked, type, class: 'IN' }] } as DecodedPacket;
      const second = Math.floor(now() / 1000);
      const answers = Array.from({ length: 1 + (second % 40) }, (_, index) => ({
        type: 'A' as const,
        data: `203.0.${second % 256}.${index}`,
        ttl: 3 + ((second + index) % 7),
      }));
      return replyTo(query, answers, asked.toLowerCase().startsWith('no') ? { rcode: 3 } : {});
    },
  };
  const upstreams = { current: async () => ({ servers: [{ ip: '10.0.0.1', port: 53 }] }) };
  const isLocal = (address: string) => address !== STRANGER;
  const needs = { upstreams, client, isLocal, isOwn: () => false };
  const zone = new ForwardZone(needs, { ownDomains: ['consul'], cache: { now } });
  return new Responder({
    resolver: new Resolver({ zones: [zone], log: silentLogger }),
    recursionFor: isLocal,
    ...(cache && { cache }),
    log: silentLogger,
  });
}

const step = fc.record({
  name: fc.constantFrom('a.example', 'A.Example', 'no.example', 'web.consul'),
  id: fc.integer({ min: 0, max: 0xffff }),
  options: fc.constantFrom(
    {},
    { edns: { size: 1232 } },
    { edns: { size: 512, do: true } },
    { cd: true },
    { rd: false },
  ),
  transport: fc.constantFrom('udp' as const, 'tcp' as const),
  client: fc.constantFrom('127.0.0.1', '10.2.1.1', '10.2.1.2', STRANGER),
  /** Milliseconds since the last step. */
  later: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 1_500 })),
});

test('a cached answer of other servers is byte for byte the same as without the cache, at every moment', async () => {
  let fromMemory = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 100, maxLength: 150 }), async (steps) => {
      let time = 0;
      const now = () => time;
      const [plain, quick] = [forwarder(now), forwarder(now, new AnswerCache())];
      for (const { name, id, options, transport, client, later } of steps) {
        time += later;
        const packet = queryBytes(name, 'A', options);
        packet.writeUInt16BE(id, 0);
        const expected = await plain.respond(Buffer.from(packet), client, transport);
        const answer = quick.respond(packet, client, transport);
        if (!(answer instanceof Promise)) fromMemory += 1;
        expect(await answer).toEqual(expected);
      }
    }),
    { numRuns: count(20, 2_000) },
  );
  expect(fromMemory).toBeGreaterThan(20);
});
