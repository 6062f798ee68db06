import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import type { ListenAddress } from '../../src/dns/listen.ts';
import { DnsServer, type DnsServerOptions } from '../../src/dns/server/server.ts';
import { TCP_LIMITS } from '../../src/dns/server/tcp.ts';
import { FrameReader, frame } from '../../src/dns/wire/frames.ts';
import { eventually } from '../support/eventually.ts';
import { succeed } from '../support/program.ts';

/** The sockets of the resolver, with an echo in place of answers. */

const servers: DnsServer[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  lines.length = 0;
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

/** What the servers of a test have logged. */
const lines: string[] = [];
const log = {
  info: (fields: { address?: string } | string, line?: string) =>
    void lines.push(`info ${line ? `${line} on ${(fields as { address: string }).address}` : fields}`),
  error: (line: unknown) => void lines.push(`error ${line}`),
};

function serverOn(listen: readonly ListenAddress[], options: Partial<DnsServerOptions> = {}): DnsServer {
  const respond = async (packet: Buffer) => packet;
  const responder = { respond };
  const server = new DnsServer({ responder, log }, { listen, ...options });
  servers.push(server);
  return server;
}

async function started(options: Partial<DnsServerOptions> = {}): Promise<number> {
  const server = serverOn([{ ip: '127.0.0.1', port: 0 }], options);
  await server.start();
  return server.status().listeners[0]?.address.port as number;
}

describe.each([false, true])('an address, with UDP in batches: %s;', (batched) => {
  const udp = { batched };

  test('that does not exist yet is used once it exists', async () => {
    const script = fileURLToPath(new URL('../dns/waiting-server.ts', import.meta.url));
    const output = await succeed('unshare', ['--net', process.execPath, script]);
    const [before, after] = output.split('\n').map((line) => JSON.parse(line) as unknown);
    expect(before).toEqual([
      { ip: '127.0.0.1', state: 'listening' },
      { ip: '10.9.9.9', state: 'waiting', why: 'no interface of this host has 10.9.9.9 yet' },
      { ip: 'fd00:9::9', state: 'waiting', why: 'no interface of this host has fd00:9::9 yet' },
    ]);
    expect(after).toEqual(['127.0.0.1', '10.9.9.9', 'fd00:9::9'].map((ip) => ({ ip, state: 'listening' })));
  });

  test.each(['udp', 'tcp'])(
    'whose port is taken over %s is said once, names the port, and is taken when it is free; the others answer',
    async (transport) => {
      const holder = await holdPort(transport);
      const { port } = holder;
      const free = { ip: '127.0.0.1', port: 0 };
      const server = serverOn([free, { ip: '127.0.0.1', port }], { udp });
      await server.start();
      const why =
        `cannot answer DNS on 127.0.0.1:${port}: another program has that port ` +
        `(\`ss -lntup 'sport = :${port}'\` shows it); retrying until it is free`;
      const [other, taken] = server.status().listeners;
      expect(taken).toEqual({ address: { ip: '127.0.0.1', port }, state: 'failed', why });
      expect(await echo(open(other?.address.port as number), 'still there, as before')).toBe(
        'still there, as before',
      );
      await delay(400);
      expect(lines.filter((line) => line.startsWith('error'))).toEqual([`error ${why}`]);
      await holder[Symbol.asyncDispose]();
      await eventually(() => expect(server.status().listeners[1]).toMatchObject({ state: 'listening' }));
      expect(lines.at(-1)).toBe(`info answering DNS on 127.0.0.1:${port}`);
      expect(await echo(open(port), 'now here, too')).toBe('now here, too');
    },
  );

  test('is free again when the server has stopped; stopping twice has no effect', async () => {
    const server = serverOn([{ ip: '127.0.0.1', port: 0 }], { udp });
    await server.start();
    const port = server.status().listeners[0]?.address.port as number;
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    const next = serverOn([{ ip: '127.0.0.1', port }], { udp });
    await next.start();
    expect(next.status().listeners[0]?.state).toBe('listening');
  });

  test('is released by a server that is stopped while it starts', async () => {
    const server = serverOn([{ ip: '127.0.0.1', port: 0 }], { udp });
    const starting = server.start();
    await server.stop();
    await starting;
    const [listener] = server.status().listeners;
    const next = serverOn([{ ip: '127.0.0.1', port: listener?.address.port as number }], {
      udp,
    });
    await next.start();
  });
});

describe('connections', () => {
  test('that send nothing are closed', async () => {
    const port = await started({ tcp: { ...TCP_LIMITS, idleMs: 500 } });
    const socket = open(port);
    expect(await echo(socket, 'hello, resolver')).toBe('hello, resolver');
    await closed(socket);
  });

  test('that do not read their answers are no longer read, and finally closed', async () => {
    const port = await started({ tcp: { ...TCP_LIMITS, idleMs: 500 } });
    const socket = open(port);
    socket.pause();
    const flood = Buffer.concat(Array.from({ length: 1000 }, () => frame(Buffer.alloc(4000))));
    let accepted = 0;
    const pour = () =>
      socket.write(flood, (error) => {
        if (error) return;
        accepted += 1;
        pour();
      });
    pour();
    await closed(socket);
    // Bounded by the kernel's buffers, not by what a client sends.
    expect(accepted).toBeLessThan(10);
  });
});

function open(port: number, localAddress = '127.0.0.1'): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => {});
  sockets.push(socket);
  return socket;
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** What the server sends back on this connection; undefined when it closes it instead. */
function echo(socket: Socket, text: string): Promise<string | undefined> {
  const frames = new FrameReader(65_535);
  socket.write(frame(Buffer.from(text)));
  return new Promise((resolve) => {
    socket.once('close', () => resolve(undefined));
    socket.once('data', (chunk) => resolve(frames.push(chunk)[0]?.toString()));
  });
}

/**
 * Holds a port for one transport. Not one that the kernel draws: where a client that has closed had it, the kernel
 * refuses it to TCP servers for a minute (TIME_WAIT), and a test that waits for the holder would wait for that, too.
 */
async function holdPort(transport: string): Promise<AsyncDisposable & { readonly port: number }> {
  const holder = transport === 'udp' ? createSocket('udp4') : createServer();
  const port = randomInt(20_000, 30_000);
  if ('bind' in holder) holder.bind(port, '127.0.0.1');
  else holder.listen(port, '127.0.0.1');
  await once(holder, 'listening');
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      const closed = once(holder, 'close');
      holder.close();
      await closed;
    },
  };
}
