import dnsPacket from 'dns-packet';
import { afterEach, describe, expect, test } from 'vitest';
import { ForwardZone } from '../../../src/dns/forward/forward.ts';
import { LoopMark } from '../../../src/dns/forward/loop-mark.ts';
import { UpstreamClient } from '../../../src/dns/forward/upstream/client.ts';
import { overTcp } from '../../../src/dns/forward/upstream/exchange.ts';
import { outgoingQuery } from '../../../src/dns/forward/upstream/outgoing.ts';
import type { Upstream } from '../../../src/dns/forward/upstreams.ts';
import { Resolver } from '../../../src/dns/resolve.ts';
import { Responder } from '../../../src/dns/responder.ts';
import { DnsServer } from '../../../src/dns/server/server.ts';
import { silentLogger } from '../../../src/runtime/log.ts';
import { questionOf } from '../question.ts';
import { rcodeOf } from '../read.ts';

describe('resolvers that forward to each other', () => {
  const stops: (() => unknown)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  /** So many heddles on real sockets: each forwards to the next one, and the last one to the first. */
  async function circleOf(length: number): Promise<readonly number[]> {
    const nexts = Array.from({ length }, (): Upstream[] => []);
    const members = await Promise.all(nexts.map((servers) => member(servers)));
    for (const [index, servers] of nexts.entries()) {
      servers.push({ ip: '127.0.0.1', port: members[(index + 1) % length] as number });
    }
    return members;
  }

  async function member(servers: readonly Upstream[]): Promise<number> {
    const client = new UpstreamClient();
    const upstreams = { current: async () => ({ servers }) };
    const zone = new ForwardZone(
      { upstreams, client, isLocal: () => true, isOwn: () => false },
      { ownDomains: [] },
    );
    const resolver = new Resolver({ zones: [zone], log: silentLogger });
    const responder = new Responder({ resolver, recursionFor: () => true, log: silentLogger });
    const listen = [{ ip: '127.0.0.1', port: 0 }];
    const server = new DnsServer({ responder, log: silentLogger }, { listen });
    await server.start();
    stops.push(
      () => client.stop(),
      () => server.stop(),
    );
    return server.status().listeners[0]?.address.port as number;
  }

  test.each([1, 2, 5])('fail immediately, and do not wait for each other: %i of them', async (length) => {
    const members = await circleOf(length);
    const started = performance.now();
    // One client for each, at the same moment: each heddle has the query in flight when it comes back.
    const replies = await Promise.all(
      members.map((port) =>
        overTcp(
          { ip: '127.0.0.1', port },
          outgoingQuery(questionOf('example.com')),
          AbortSignal.timeout(4_000),
        ),
      ),
    );
    expect(replies.map((reply) => rcodeOf(dnsPacket.decode(reply)))).toEqual(members.map(() => 'SERVFAIL'));
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('a question', () => {
  const [ours, theirs] = [new LoopMark(), new LoopMark()];
  const withMarks = (loopMarks: Uint8Array) => {
    const question = questionOf('example.com', 'A', { edns: { size: 1232 } });
    return { ...question, edns: { version: 0, udpSize: 1232, dnssecOk: false, loopMarks } };
  };

  test('is in a loop if our mark is among its marks', () => {
    const question = questionOf('example.com');
    expect(ours.isLoop(question)).toBe(false);
    const passedOn = withMarks(theirs.marksFor(question));
    expect([ours.isLoop(passedOn), theirs.isLoop(passedOn)]).toEqual([false, true]);
    const further = withMarks(ours.marksFor(passedOn));
    expect([ours.isLoop(further), theirs.isLoop(further)]).toEqual([true, true]);
  });

  test('passes at most eight heddles', () => {
    expect(ours.isLoop(withMarks(new Uint8Array(7 * 8)))).toBe(false);
    expect(ours.isLoop(withMarks(new Uint8Array(8 * 8)))).toBe(true);
  });
});
