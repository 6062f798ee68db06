import { Socket } from 'node:dgram';
import dnsPacket, { type DecodedPacket } from 'dns-packet';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { outgoingQuery } from '../../../../src/dns/forward/upstream/outgoing.ts';
import {
  UpstreamSockets,
  type UpstreamSocketsOptions,
} from '../../../../src/dns/forward/upstream/sockets.ts';
import { eventually } from '../../../support/eventually.ts';
import { failure } from '../../../support/failing-files.ts';
import { questionOf } from '../../question.ts';
import { FakeUpstream, manyAddresses, replyTo } from '../../upstream.ts';

const opened: UpstreamSockets[] = [];
afterEach(async () => {
  for (const sockets of opened.splice(0)) sockets.stop();
  await eventually(() => expect(udpHandles()).toBe(0));
});

function open(options: UpstreamSocketsOptions = {}) {
  const sockets = new UpstreamSockets(options);
  opened.push(sockets);
  return (upstream: FakeUpstream, name = 'example.com', timeoutMs = 1_000) =>
    sockets.ask(upstream.address, outgoingQuery(questionOf(name)), timeoutMs);
}

const answering = () => FakeUpstream.start((query) => [replyTo(query, manyAddresses(1))]);
const portsOf = ({ seen }: FakeUpstream) => new Set(seen.map(({ port }) => port));
const udpHandles = () => process.getActiveResourcesInfo().filter((kind) => kind === 'UDPWrap').length;
const times = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('the sockets of an upstream', () => {
  test('that cannot be opened fail at once and say why, and the next one is opened', async () => {
    await using upstream = await answering();
    const ask = open({ each: 1 });
    const bind = vi.spyOn(Socket.prototype, 'bind');
    // As the system does it: before the call returns.
    bind.mockImplementationOnce(function (this: Socket) {
      this.emit('error', failure('EMFILE'));
      return this;
    });
    const began = performance.now();
    await expect(ask(upstream)).rejects.toThrow('EMFILE');
    expect(performance.now() - began).toBeLessThan(500);
    bind.mockRestore();
    expect(dnsPacket.decode(await ask(upstream)).answers?.length).toBe(1);
  });

  test('that are closed as soon as they were asked for send nothing', async () => {
    await using upstream = await answering();
    const sockets = new UpstreamSockets();
    const asking = sockets.ask(upstream.address, outgoingQuery(questionOf('example.com')), 1_000);
    sockets.stop();
    await expect(asking).rejects.toThrow('heddle is stopping');
    // What is thrown when the socket is connected reaches nobody but the process.
    await eventually(() => expect(udpHandles()).toBe(1));
    expect(upstream.seen).toEqual([]);
  });

  test('are so many, drawn by chance for each question', async () => {
    await using upstream = await answering();
    const ask = open({ each: 4 });
    for (const _ of times(60)) await ask(upstream);
    const ports = upstream.seen.map(({ port }) => port);
    expect(new Set(ports).size).toBe(4);
    const later = ports.slice(4);
    for (const port of new Set(ports)) {
      const share = later.filter((other) => other === port).length;
      expect(share).toBeGreaterThan(1);
      expect(share).toBeLessThan(40);
    }
  });

  test('are replaced by others on other ports when they have carried so many questions', async () => {
    await using upstream = await answering();
    const ask = open({ each: 1, life: { queries: 3, milliseconds: 60_000 } });
    for (const _ of times(9)) await ask(upstream);
    const ports = upstream.seen.map(({ port }) => port);
    expect(portsOf(upstream).size).toBe(3);
    for (const turn of times(3)) expect(new Set(ports.slice(3 * turn, 3 * turn + 3)).size).toBe(1);
  });

  test('are replaced when they have been open so long, and closed though nobody asks', async () => {
    await using upstream = await answering();
    const ask = open({ each: 1, life: { queries: 100, milliseconds: 500 } });
    await ask(upstream);
    await ask(upstream);
    expect(portsOf(upstream).size).toBe(1);
    await eventually(() => expect(udpHandles()).toBe(1));
    await ask(upstream);
    expect(portsOf(upstream).size).toBe(2);
  });

  test('whose time is over still bring the answers that are under way', async () => {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    await using upstream = await FakeUpstream.start(() => []);
    const ask = open({ each: 1, life: { queries: 100, milliseconds: 50 } });
    const asked = ask(upstream);
    await eventually(() => expect(upstream.seen.length).toBe(1));
    setTimeout(resolve, 200);
    await late;
    const [first] = upstream.seen as [(typeof upstream.seen)[0]];
    upstream.send(replyTo(first.query, manyAddresses(1)), first.port);
    expect(dnsPacket.decode(await asked).answers).toHaveLength(1);
  });

  test('are all closed by a stop, and whatever waits fails', async () => {
    const silent = await FakeUpstream.start(() => []);
    const sockets = new UpstreamSockets();
    const asked = times(40).map(() =>
      sockets.ask(silent.address, outgoingQuery(questionOf('example.com')), 60_000),
    );
    const ended = Promise.allSettled(asked);
    await eventually(() => expect(silent.seen.length).toBe(40));
    sockets.stop();
    expect((await ended).every(({ status }) => status === 'rejected')).toBe(true);
    await silent[Symbol.asyncDispose]();
    await eventually(() => expect(udpHandles()).toBe(0));
  });
});

describe('an answer', () => {
  test('is taken from no other upstream, though it knows port, id and question', async () => {
    await using silent = await FakeUpstream.start(() => []);
    await using other = await answering();
    const ask = open({ each: 1 });
    await ask(other);
    const asked = ask(silent, 'example.com', 300).catch((error: Error) => error.message);
    await eventually(() => expect(silent.seen.length).toBe(1));
    const [{ query, port }] = silent.seen as [(typeof silent.seen)[0]];
    // To the port that waits for the other one, and by its own socket.
    other.send(replyTo(query, manyAddresses(1)), port);
    other.send(replyTo(query, manyAddresses(1)), [...portsOf(other)][0] as number);
    expect(await asked).toContain('no answer in time');
  });

  test('that is refused fails at once, for all who wait there', async () => {
    // No port that the kernel draws: another test may be given it meanwhile.
    const address = { ip: '127.0.0.1', port: 1 };
    const sockets = new UpstreamSockets({ each: 1 });
    opened.push(sockets);
    const asked = times(5).map(() => sockets.ask(address, outgoingQuery(questionOf('example.com')), 5_000));
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.map((outcome) => String((outcome as PromiseRejectedResult).reason))).toEqual(
      Array(5).fill(expect.stringContaining('ECONNREFUSED')),
    );
  });

  test('finds its own question among many, whatever order, copies and lies come with it', async () => {
    const kinds = ['true', 'twice', 'lies first', 'lies only', 'silent'] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer(),
        async (behaviours, each, seed) => {
          const waiting: { readonly query: DecodedPacket; readonly port: number }[] = [];
          await using upstream = await FakeUpstream.start((query, { port }) => {
            waiting.push({ query, port });
            return [];
          });
          const ask = open({ each, life: { queries: 16, milliseconds: 60_000 } });
          const isAnswered = (behaviour: string) => !['lies only', 'silent'].includes(behaviour);
          // Silence is waited for; an answer must come in time on a busy machine, too.
          const asked = behaviours.map((behaviour, index) =>
            ask(upstream, `q${index}.example.com`, isAnswered(behaviour) ? 5_000 : 100),
          );
          const outcomes = Promise.allSettled(asked);
          await eventually(() => expect(waiting.length).toBe(behaviours.length), { every: 2 });
          const order = waiting.toSorted((a, b) => ((a.port ^ seed) % 97) - ((b.port ^ seed) % 97));
          for (const { query, port } of order) {
            const index = Number(/q(\d+)/i.exec(query.questions?.[0]?.name ?? '')?.[1]);
            for (const reply of repliesOf(behaviours[index] as (typeof kinds)[number], query, index)) {
              upstream.send(reply, port);
            }
          }
          for (const [index, outcome] of (await outcomes).entries()) {
            expect(outcome.status).toBe(isAnswered(behaviours[index] as string) ? 'fulfilled' : 'rejected');
            if (outcome.status !== 'fulfilled') continue;
            expect(dnsPacket.decode(outcome.value).answers).toMatchObject([{ data: `203.0.113.${index}` }]);
          }
        },
      ),
      { numRuns: 15 },
    );
  });
});

function repliesOf(behaviour: string, query: DecodedPacket, index: number): Buffer[] {
  const truth = replyTo(query, [{ type: 'A', data: `203.0.113.${index}` }]);
  const wrongId = Buffer.from(truth);
  wrongId.writeUInt16BE((truth.readUInt16BE(0) + 1) & 0xffff, 0);
  const wrongQuestion = Buffer.from(truth);
  wrongQuestion.write('z', 13);
  const lies = [wrongId, wrongQuestion, wrongId.subarray(0, 12), Buffer.alloc(0)];
  switch (behaviour) {
    case 'true':
      return [truth];
    case 'twice':
      return [truth, truth];
    case 'lies first':
      return [...lies, truth];
    case 'lies only':
      return lies;
    default:
      return [];
  }
}

test('what a silent server leaves unanswered costs no error of its own', async () => {
  await using silent = await FakeUpstream.start(() => []);
  const ask = open({ each: 1 });
  const failures = await Promise.all(
    times(50).map((number) => ask(silent, `n${number}.test`, 10).catch((error: unknown) => error)),
  );
  expect(new Set(failures).size).toBe(1);
  expect(failures[0]).toMatchObject({ code: 'unreachable' });
});
