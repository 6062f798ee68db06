import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { AnswerCache } from '../../src/dns/cache/answer-cache.ts';
import { loadKernelUdp } from '../../src/dns/server/kernel-udp.ts';
import type { Respond } from '../../src/dns/server/tcp.ts';
import { UdpListener } from '../../src/dns/server/udp.ts';
import { UdpBatch } from '../../src/dns/server/udp-batch.ts';
import { ChangingView, change, expectAlike, packetOf, question, responderOf } from '../dns/changing.ts';
import { count } from '../support/counts.ts';
import { eventually } from '../support/eventually.ts';

/** UDP in batches, on real sockets. */

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function listen(respond: Respond, ip = '127.0.0.1'): Promise<{ listener: UdpListener; port: number }> {
  const listener = new UdpListener(respond, { batched: true });
  const port = await listener.listen({ ip, port: 0 });
  open.push(listener);
  return { listener, port };
}

async function clientOf(port: number, ip = '127.0.0.1'): Promise<Socket> {
  const client = createSocket({ type: ip.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 });
  client.connect(port, ip);
  await once(client, 'connect');
  open.push(client);
  return client;
}

/** Sends all of them at once, and waits for the same number of replies. */
function exchange(client: Socket, packets: readonly Buffer[], wanted = packets.length): Promise<Buffer[]> {
  const replies: Buffer[] = [];
  return new Promise((resolve) => {
    client.on('message', (reply) => {
      replies.push(reply);
      if (replies.length < wanted) return;
      client.removeAllListeners('message');
      resolve(replies);
    });
    for (const packet of packets) client.send(packet);
  });
}

const echo: Respond = (packet) => Buffer.from(packet);
const numbered = (total: number) =>
  Array.from({ length: total }, (_, index) => Buffer.from(`packet ${index}`));
const texts = (replies: readonly Buffer[]) => replies.map(String).toSorted();

describe.each(['127.0.0.1', '::1'])('on %s', (ip) => {
  test('every client gets its own answers, at once or later', async () => {
    const clients: string[] = [];
    const { listener, port } = await listen((packet, client) => {
      clients.push(client);
      const reply = Buffer.from(packet);
      return packet.at(-1) === 0x37 ? nextTurn(reply) : reply;
    }, ip);
    expect(listener.isBatched).toBe(true);
    const packets = numbered(100);
    const [one, other] = [await clientOf(port, ip), await clientOf(port, ip)];
    const replies = await Promise.all([exchange(one, packets), exchange(other, packets)]);
    expect(replies.map(texts)).toEqual([texts(packets), texts(packets)]);
    expect(new Set(clients)).toEqual(new Set([ip]));
  });
});

test('questions beyond one turn are answered in the next ones', async () => {
  const { port } = await listen(echo);
  const client = await clientOf(port);
  for (let turn = 0; turn < 20; turn += 1) {
    expect((await exchange(client, numbered(150))).length).toBe(150);
  }
});

test('questions that arrive while the process is busy are queued, up to a limit', async () => {
  const WAITING = 1500;
  let seen = 0;
  const { port } = await listen(() => {
    seen += 1;
    return undefined;
  });
  const client = await clientOf(port);
  // Each is in the listener's queue when this returns: this process does not read meanwhile.
  for (const packet of numbered(WAITING)) client.send(packet);
  await eventually(() => expect(seen).toBe(WAITING));
});

test('no other program can bind the address, even with SO_REUSEADDR', async () => {
  const { port } = await listen(echo);
  const other = createSocket({ type: 'udp4', reuseAddr: true });
  open.push(other);
  other.bind(port, '127.0.0.1');
  const [error] = (await once(other, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('EADDRINUSE');
});

test('an address in use, or not of this host, is refused with the system’s error code', async () => {
  const { port } = await listen(echo);
  const refusal = (ip: string) =>
    new UdpListener(echo, { batched: true }).listen({ ip, port }).catch((error: unknown) => error);
  expect(await refusal('127.0.0.1')).toMatchObject({ code: 'EADDRINUSE' });
  expect(await refusal('192.0.2.1')).toMatchObject({ code: 'EADDRNOTAVAIL' });
});

test('a datagram too long for a question is ignored, and clients that have gone cause no error', async () => {
  const { port } = await listen(echo);
  const gone = await clientOf(port);
  for (const packet of numbered(50)) gone.send(packet);
  open.splice(open.indexOf(gone), 1);
  gone.close();
  const client = await clientOf(port);
  const long = Array.from({ length: 10 }, () => Buffer.alloc(4097));
  const replies = await exchange(client, [...long, ...numbered(10)], 10);
  expect(texts(replies)).toEqual(texts(numbered(10)));
});

test('answers that are ready after close are not sent', async () => {
  const late = Promise.withResolvers<Buffer>();
  const asked = Promise.withResolvers<void>();
  const { listener, port } = await listen(() => {
    asked.resolve();
    return late.promise;
  });
  const client = await clientOf(port);
  for (const packet of numbered(10)) client.send(packet);
  await asked.promise;
  await listener.close();
  late.resolve(Buffer.from('late'));
  await nextTurn();
});

describe('with a kernel that', () => {
  async function batchOn(change: (kernel: Awaited<ReturnType<typeof real>>) => object, respond: Respond) {
    const kernel = await real();
    const socket = kernel.open({ ip: '127.0.0.1', port: 0 });
    const batch = new UdpBatch({ ...kernel, ...change(kernel) }, socket, 4, respond);
    open.push({ close: () => [batch.close(), kernel.close(socket)] });
    return batch;
  }
  async function real() {
    const kernel = await loadKernelUdp();
    if (!kernel) throw new Error('koffi does not load here');
    return kernel;
  }

  test('always has more to read, a turn takes eight batches, and the next turn continues', async () => {
    let answered = 0;
    const batch = await batchOn(
      () => ({ receive: () => 64 }),
      () => {
        answered += 1;
        return undefined;
      },
    );
    batch.drain();
    batch.drain();
    expect(answered).toBe(8 * 64);
    await nextTurn();
    batch.drain();
    expect(answered).toBe(16 * 64);
  });

  test('refuses one answer, the others are still sent', async () => {
    const sent: number[] = [];
    let waiting = 5;
    const batch = await batchOn(
      () => ({
        receive: () => {
          const now = waiting;
          waiting = 0;
          return now;
        },
        // The kernel takes the first two, refuses the third, then takes the rest.
        send: (_socket: number, _headers: number, left: number) => {
          sent.push(left);
          return left === 5 ? 2 : left === 3 ? -1 : left;
        },
      }),
      () => Buffer.from('answer'),
    );
    batch.drain();
    expect(sent).toEqual([5, 3, 2]);
  });
});

/** Queries pending at the same time, so that they arrive in batches. */
const AT_ONCE = 50;

test(
  'cached answers in batches are the plain ones, whatever changes in between',
  async () => {
    const view = new ChangingView();
    view.set('web', ['10.2.1.1', '10.2.1.2']);
    const [plain, cached] = [responderOf(view), responderOf(view, new AnswerCache())];
    const { port } = await listen((packet, client) => cached.respond(packet, client, 'udp'));
    const client = await clientOf(port);
    const asked = fc.array(question, { minLength: AT_ONCE, maxLength: AT_ONCE });
    await fc.assert(
      fc.asyncProperty(change, asked, async ({ name, addresses, status }, questions) => {
        view.set(name, addresses, status);
        // Matched by id.
        const packets = questions.map((one, id) => packetOf({ ...one, id }));
        const replies = await exchange(client, packets);
        for (const reply of replies) {
          const packet = packets[reply.readUInt16BE(0)] as Buffer;
          const ask = async (transport: 'udp' | 'tcp' = 'udp') =>
            (await plain.respond(packet, '127.0.0.1', transport)) as Buffer;
          await expectAlike(reply, await ask(), ask);
        }
      }),
      { numRuns: count(100, 1_000_000 / AT_ONCE), endOnFailure: true },
    );
  },
  count(60_000, 2_400_000),
);
