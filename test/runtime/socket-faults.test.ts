import dgram from 'node:dgram';
import net from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { daemonAt } from '../../src/control/client.ts';
import { ControlServer } from '../../src/control/server.ts';
import { UpstreamClient } from '../../src/dns/forward/upstream/client.ts';
import { Listener } from '../../src/dns/server/listener.ts';
import { TCP_LIMITS } from '../../src/dns/server/tcp.ts';
import { DockerClient } from '../../src/docker/client.ts';
import { DockerEngine } from '../../src/docker/engine.ts';
import { HeddleError } from '../../src/errors.ts';
import { NamespaceWatch } from '../../src/network/namespace-watch.ts';
import type { Libc } from '../../src/network/netlink/libc.ts';
import { ConsulClient } from '../../src/registry/consul/api/client.ts';
import { createLogger, silentLogger } from '../../src/runtime/log.ts';
import { questionOf } from '../dns/question.ts';
import { FakeUpstream, manyAddresses, replyTo } from '../dns/upstream.ts';
import { eventually } from '../support/eventually.ts';
import { exchange } from '../support/exchange.ts';
import { failure } from '../support/failing-files.ts';
import { temporaryFolder } from '../support/folder.ts';
import { json, RawServer } from '../support/raw-server.ts';

/** Each call on a socket fails once, when a test chooses; the part keeps working. Vitest fails on uncaught errors. */

let servers: Set<net.Server>;
let udp: Set<dgram.Socket>;
beforeEach(() => {
  [servers, udp] = [new Set(), new Set()];
  const [listen, bind] = [net.Server.prototype.listen, dgram.Socket.prototype.bind];
  vi.spyOn(net.Server.prototype, 'listen').mockImplementation(function (
    this: net.Server,
    ...given: unknown[]
  ) {
    servers.add(this);
    return Reflect.apply(listen, this, given) as net.Server;
  } as never);
  vi.spyOn(dgram.Socket.prototype, 'bind').mockImplementation(function (
    this: dgram.Socket,
    ...given: unknown[]
  ) {
    udp.add(this);
    return Reflect.apply(bind, this, given) as dgram.Socket;
  } as never);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Makes the next call of this method emit an error, like the system's failures; other calls are unchanged. */
function failsOnce(prototype: object, method: string, code: string): void {
  const spy = vi.spyOn(prototype as Record<string, () => unknown>, method);
  spy.mockImplementationOnce(function (this: net.Socket) {
    queueMicrotask(() => {
      if ('destroy' in this) this.destroy(failure(code));
      else (this as NodeJS.EventEmitter).emit('error', failure(code));
    });
    return this;
  } as never);
}

const nextConnection = (fault: (socket: net.Socket) => void) => () => {
  for (const server of servers) server.prependOnceListener('connection', fault);
};

/** Faults of one connection of a stream server. */
const OF_A_SERVER: Readonly<Record<string, () => void>> = {
  'no descriptor for a connection': () =>
    servers.forEach((server) => void server.emit('error', failure('EMFILE'))),
  'a connection that is gone before it is taken': () =>
    servers.forEach((server) => void server.emit('error', failure('ECONNABORTED'))),
  'a read that fails': nextConnection((socket) =>
    process.nextTick(() => socket.destroy(failure('ECONNRESET'))),
  ),
  'a write that fails': nextConnection((socket) => {
    socket._write = (_chunk, _encoding, done) => done(failure('EPIPE'));
    socket._writev = (_chunks, done) => done(failure('EPIPE'));
  }),
};

describe.each(Object.entries(OF_A_SERVER))('%s', (_, inject) => {
  it('costs the control socket only that connection', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'heddle.sock');
    const identity = { engine: 'E1', address: 'unix:///d.sock', version: '1' };
    const needs = { run: async () => 0, engine: async () => identity, handOver: async () => () => {} };
    const server = new ControlServer({ ...needs, log: silentLogger }, { path });
    await server.start();
    inject();
    await daemonAt(path).catch((error: unknown) => expect(error).toBeInstanceOf(HeddleError));
    expect(await daemonAt(path)).toEqual(identity);
    await server.stop();
  });

  it('costs DNS over TCP only that connection', async () => {
    const listener = await listening();
    inject();
    await exchange(listener.status.address.port, PACKET, 'tcp').catch(() => {});
    expect(await exchange(listener.status.address.port, PACKET, 'tcp')).toEqual(PACKET);
    await listener.stop();
  });
});

const PACKET = Buffer.from('a question with a header');

async function listening(): Promise<Listener> {
  const listener = new Listener(
    { ip: '127.0.0.1', port: 0 },
    { respond: async (packet) => packet, log: silentLogger },
    { tcp: TCP_LIMITS, udp: {} },
  );
  await listener.start();
  await eventually(() => expect(listener.status.state).toBe('listening'));
  return listener;
}

describe('a DNS listener', () => {
  it.each([
    ['UDP', dgram.Socket.prototype, 'bind', 'EACCES'],
    ['UDP', dgram.Socket.prototype, 'bind', 'ENOBUFS'],
    ['TCP', net.Server.prototype, 'listen', 'EADDRINUSE'],
    ['TCP', net.Server.prototype, 'listen', 'EMFILE'],
  ])('whose %s cannot be bound once is bound soon after: %s %s', async (_, prototype, method, code) => {
    failsOnce(prototype, method, code);
    const listener = await listening();
    for (const transport of ['udp', 'tcp'] as const)
      expect(await exchange(listener.status.address.port, PACKET, transport)).toEqual(PACKET);
    await listener.stop();
  });

  it.each([
    ['ENETUNREACH', (socket: dgram.Socket) => void socket.emit('error', failure('ENETUNREACH'))],
    [
      'EPERM, thrown',
      () => {
        throw failure('EPERM');
      },
    ],
  ])('whose answer cannot be sent, %s, answers the next question', async (_, fault) => {
    const listener = await listening();
    const own = [...udp].at(-1) as dgram.Socket;
    const send = own.send;
    let failed = 0;
    own.send = ((...given: unknown[]) => {
      if (failed++ === 0) return fault(own);
      return Reflect.apply(send, own, given);
    }) as never;
    const lost = dgram.createSocket('udp4').send(PACKET, listener.status.address.port, '127.0.0.1');
    void lost;
    await eventually(() => expect(failed).toBe(1));
    expect(await exchange(listener.status.address.port, PACKET, 'udp')).toEqual(PACKET);
    await listener.stop();
  });

  it.each([
    ['its receiving fails', (socket: dgram.Socket) => void socket.emit('error', failure('ENOMEM'))],
    [
      'a packet comes from port 0, which no answer can be sent to',
      (socket: dgram.Socket) =>
        void socket.emit('message', PACKET, { address: '127.0.0.1', family: 'IPv4', port: 0, size: 10 }),
    ],
    [
      'a packet comes from no address',
      (socket: dgram.Socket) =>
        void socket.emit('message', PACKET, { address: '', family: 'IPv4', port: 9, size: 10 }),
    ],
  ])('answers when %s', async (_, fault) => {
    const listener = await listening();
    fault([...udp].at(-1) as dgram.Socket);
    expect(await exchange(listener.status.address.port, PACKET, 'udp')).toEqual(PACKET);
    await listener.stop();
  });
});

describe('a connection that fails once', () => {
  it.each(['EMFILE', 'ECONNREFUSED', 'ENOENT', 'ECONNRESET'])(
    'to Docker costs one call: %s',
    async (code) => {
      await using server = await RawServer.start((line) =>
        json(line === 'GET /version' ? { ApiVersion: '1.41', MinAPIVersion: '1.12' } : { ID: 'E1' }),
      );
      const engine = new DockerEngine(new DockerClient({ kind: 'unix', path: server.path }));
      failsOnce(net.Socket.prototype, 'connect', code);
      await engine.info().catch((error: unknown) => expect(error).toBeInstanceOf(HeddleError));
      expect(await engine.info()).toMatchObject({ id: 'E1' });
    },
  );

  it.each(['EMFILE', 'ECONNREFUSED', 'ENOENT', 'ECONNRESET'])(
    'to Consul costs one call: %s',
    async (code) => {
      await using server = await RawServer.start(() => json({ a: 1 }));
      const client = new ConsulClient({ kind: 'consul', socketPath: server.path });
      failsOnce(net.Socket.prototype, 'connect', code);
      await expect(client.put({ path: '/v1/x' } as never)).rejects.toBeInstanceOf(HeddleError);
      await client.put({ path: '/v1/x' } as never);
    },
  );

  it.each([
    [dgram.Socket.prototype, 'connect', 'ENETUNREACH'],
    [dgram.Socket.prototype, 'send', 'EPERM'],
    [dgram.Socket.prototype, 'bind', 'EMFILE'],
  ])('to a DNS server costs no answer to the next question: %s %s', async (prototype, method, code) => {
    await using server = await FakeUpstream.start((query) => [replyTo(query, manyAddresses(1))]);
    const client = new UpstreamClient({ timeoutMs: 300 });
    const ask = () => client.ask(questionOf('example.com'), { servers: [server.address] });
    failsOnce(prototype, method, code);
    await ask().catch((error: unknown) => expect(error).toBeInstanceOf(Error));
    expect(await ask()).toBeInstanceOf(Buffer);
  });
});

it('a watch for addresses whose netlink socket cannot be opened reads all of them once a second', async () => {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', pretty: false }, {
    write: (line: string) => void lines.push(line),
  } as never);
  const libc = {
    socket: () => {
      throw failure('EMFILE');
    },
  } as unknown as Libc;
  let reports = 0;
  const watching = new NamespaceWatch({ log }).add(libc, () => void reports++);
  await eventually(() => expect(reports).toBeGreaterThan(1), { within: 10_000 });
  expect(lines).toEqual([expect.stringContaining('reading all addresses once a second')]);
  await watching.stop();
});
