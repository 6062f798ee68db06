import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { daemonAt, runInDaemon } from '../../src/control/client.ts';
import { ControlServer } from '../../src/control/server.ts';
import { collect } from '../../src/runtime/io.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { count } from '../support/counts.ts';
import { eventually } from '../support/eventually.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/folder.ts';

let folder: TemporaryFolder;
let path: string;
let server: ControlServer;
const identity = { engine: 'E1', address: 'unix:///d.sock', version: '1' };
const sockets: Socket[] = [];

beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder.path, 'heddle.sock');
  server = new ControlServer(
    {
      run: async (argv, io) => {
        if (argv[0] === 'throw') throw new Error('thrown by a test');
        io.stdout.write(argv.join(' ').repeat(argv[0] === 'much' ? 1000 : 1));
        return 0;
      },
      engine: async () => identity,
      handOver: async () => () => {},
      log: silentLogger,
    },
    { path },
  );
  await server.start();
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.stop();
  await folder[Symbol.asyncDispose]();
});

/** Sends these bytes, then closes its side or stays connected. */
async function send(bytes: Uint8Array | string, stay = false): Promise<Socket> {
  const socket = createConnection(path).on('error', () => {});
  sockets.push(socket);
  await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
  if (!stay) socket.end();
  return socket;
}

const post = (body: string, length = Buffer.byteLength(body)) =>
  `POST /word HTTP/1.1\r\nhost: x\r\ncontent-length: ${length}\r\n\r\n${body}`;

it.each([
  ['no HTTP', 'hello\n'],
  ['zeroes', '\0'.repeat(10_000)],
  ['half a line', 'POST /wo'],
  ['a line without end', `GET /${'x'.repeat(1 << 20)}`],
  ['headers without end', `GET / HTTP/1.1\r\n${'x: y\r\n'.repeat(100_000)}`],
  ['bad JSON', post('{"argv": [')],
  ['another shape', post('{"argv": {"length": 1e9}}')],
  ['null', post('null')],
  ['a prototype', post('{"__proto__": {"argv": ["ps"]}}')],
  ['deep JSON', post('['.repeat(500_000))],
  ['a body of 2 MiB', post(JSON.stringify({ argv: ['x'.repeat(2 << 20)] }))],
  ['a body that is not all there', post('{"argv": ["ps"]}', 1_000)],
  ['a length that is none', 'POST /word HTTP/1.1\r\ncontent-length: -5\r\n\r\n'],
  ['chunks that are none', 'POST /word HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n'],
  ['a failing command', post('{"argv": ["throw"]}')],
  ['an upgrade', 'GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'],
  ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n'],
  ['requests in a row', post('{"argv": ["ps"]}').repeat(200)],
])('after %s the daemon answers', async (_, bytes) => {
  for (const stay of [false, true]) await send(bytes, stay);
  expect(await daemonAt(path)).toEqual(identity);
});

const MOST_STAYING = 100;

it('after any bytes the daemon answers', async () => {
  const request = fc.string().map((text) => post(JSON.stringify({ argv: [text] })));
  const cut = fc.tuple(request, fc.nat({ max: 200 })).map(([text, at]) => Buffer.from(text.slice(0, at)));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 5000 }), cut), fc.boolean(), async (bytes, stay) => {
      await send(bytes, stay);
      expect(await daemonAt(path)).toEqual(identity);
      // Another test covers more clients than the server accepts.
      if (sockets.length > MOST_STAYING) sockets.shift()?.destroy();
    }),
    { numRuns: count(50, 2000) },
  );
});

it('clients that send slowly, or do not read, do not delay others', async () => {
  for (let index = 0; index < 100; index++) {
    const slow = await send('POST /word HTTP/1.1\r\nhost: x\r\ncontent-le', true);
    slow.pause();
    const notReading = await send(post(JSON.stringify({ argv: ['much', 'x'.repeat(1000)] })), true);
    notReading.pause();
  }
  const stdout = collect();
  expect(await runInDaemon(path, ['ps', '-q'], { stdout, stderr: collect() })).toBe(0);
  expect(stdout.text).toBe('ps -q');
});

it('refuses clients above the limit, and serves later ones', async () => {
  for (let index = 0; index < 300; index++) await send('G', true);
  await expect(daemonAt(path)).rejects.toMatchObject({ code: 'unreachable' });
  for (const socket of sockets) socket.destroy();
  await eventually(async () => expect(await daemonAt(path)).toEqual(identity));
});
