import { createServer, type Server, type Socket } from 'node:net';
import dnsPacket from 'dns-packet';
import { afterEach, describe, expect, test } from 'vitest';
import { UpstreamClient } from '../../../src/dns/forward/upstream/client.ts';
import { FrameReader, frame } from '../../../src/dns/wire/frames.ts';
import { questionOf } from '../question.ts';
import { manyAddresses, replyTo } from '../upstream.ts';

/** Servers that misbehave on a connection; each is queried only over TCP. */

const open: { server: Server; sockets: Set<Socket> }[] = [];
afterEach(() => {
  for (const { server, sockets } of open.splice(0)) {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
});

/** What the server does on a connection once the query has arrived. */
async function serverThat(answers: (socket: Socket, query: dnsPacket.DecodedPacket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const frames = new FrameReader(65_535);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const message of frames.push(chunk)) answers(socket, dnsPacket.decode(message));
    });
  });
  open.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const upstream = { ip: '127.0.0.1', port: (server.address() as { port: number }).port };
  return { upstream, sockets };
}

const ask = async (upstream: { ip: string; port: number }, timeoutMs: number) => {
  const client = new UpstreamClient();
  const set = { servers: [upstream], useTcp: true as const, timeoutMs, attempts: 1 };
  const message = await client.ask(questionOf('www.example.com'), set).finally(() => client.stop());
  return dnsPacket.decode(message).answers?.length;
};

describe('over a connection', () => {
  test('an answer of maximum size is read, however small its chunks', async () => {
    const { upstream } = await serverThat((socket, query) => {
      const whole = frame(replyTo(query, manyAddresses(2_000)));
      for (let at = 0; at < whole.length; at += 50) socket.write(whole.subarray(at, at + 50));
    });
    expect(await ask(upstream, 10_000)).toBe(2_000);
  });

  test('unrelated messages are ignored', async () => {
    const { upstream } = await serverThat((socket, query) => {
      const other = replyTo({ ...query, id: ((query.id ?? 0) + 1) & 0xffff }, []);
      for (let turn = 0; turn < 50; turn += 1) socket.write(frame(other));
      socket.write(frame(replyTo(query, manyAddresses(1))));
    });
    expect(await ask(upstream, 10_000)).toBe(1);
  });

  test('an endless stream of unrelated messages closes the connection', async () => {
    const { upstream, sockets } = await serverThat((socket, query) => {
      const other = frame(replyTo({ ...query, id: ((query.id ?? 0) + 1) & 0xffff }, manyAddresses(900)));
      const more = (): void => {
        while (!socket.destroyed && socket.write(other));
      };
      socket.on('drain', more);
      more();
    });
    await expect(ask(upstream, 60_000)).rejects.toThrow(/no answer in \d+ bytes/);
    expect(sockets.size).toBe(1);
  });

  test('a trickling answer ends at the timeout', async () => {
    const { upstream } = await serverThat((socket, query) => {
      const whole = frame(replyTo(query, manyAddresses(100)));
      let at = 0;
      const timer = setInterval(() => {
        if (socket.destroyed) clearInterval(timer);
        else socket.write(whole.subarray(at, at + 1));
        at += 1;
      }, 20);
    });
    await expect(ask(upstream, 300)).rejects.toThrow('no answer in time');
  });

  test('at most 128 queries are in flight at the same time', async () => {
    const { upstream, sockets } = await serverThat(() => {});
    const client = new UpstreamClient();
    const set = { servers: [upstream], useTcp: true as const, timeoutMs: 1_000, attempts: 1 };
    const asked = Array.from({ length: 200 }, (_, index) =>
      client.ask(questionOf(`n${index}.example.com`), set).catch((error: Error) => error.message),
    );
    const outcomes = await Promise.all(asked);
    expect(
      outcomes.filter((outcome) => String(outcome).includes('to upstream servers are already open')).length,
    ).toBe(72);
    expect(sockets.size).toBe(128);
    client.stop();
  });
});
