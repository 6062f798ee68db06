import { execFileSync } from 'node:child_process';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { probe } from '../../src/checks/probe.ts';
import type { CheckKind } from '../../src/services/service.ts';

let server: Server;
let answer: RequestListener;
let port: number;
const seen: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const { host, 'x-a': values } = request.headers;
    seen.push([request.method, request.url, host?.replace(/:\d+$/, ''), values].filter(Boolean).join(' '));
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});

afterEach(() => void seen.splice(0));

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const run = (kind: CheckKind, within = 2000) =>
  probe({ id: 'c', name: 'c', ...kind }, AbortSignal.timeout(within));
const http = (more: object = {}): CheckKind => ({ kind: 'http', url: `http://127.0.0.1:${port}/`, ...more });
const redirect =
  (location: string, status = 302): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { location }).end();

describe('an HTTP check', () => {
  test.each([
    [200, 'passing'],
    [204, 'passing'],
    [299, 'passing'],
    [429, 'warning'],
    [304, 'critical'],
    [404, 'critical'],
    [500, 'critical'],
  ])('that is answered with %i is %s', async (status, expected) => {
    answer = (_, response) => void response.writeHead(status).end();
    expect(await run(http())).toEqual({ status: expected, output: `HTTP ${status}` });
  });

  test('sends its method and headers', async () => {
    answer = (_, response) => void response.end();
    await run(http({ method: 'PUT', headers: { Host: ['a.example'], 'X-A': ['1', '2'] } }));
    expect(seen).toEqual(['PUT / a.example 1, 2']);
  });

  test('follows its own host', async () => {
    answer = (request, response) =>
      request.url === '/' ? redirect('/ready')(request, response) : void response.end();
    expect(await run(http({ method: 'POST' }))).toMatchObject({ status: 'passing' });
    expect(seen).toEqual(['POST / 127.0.0.1', 'GET /ready 127.0.0.1']);
  });

  test('keeps its method if the status requires it', async () => {
    answer = (request, response) =>
      request.url === '/' ? redirect('/ready', 307)(request, response) : void response.end();
    await run(http({ method: 'POST' }));
    expect(seen.at(-1)).toBe('POST /ready 127.0.0.1');
  });

  test.each([
    ...['http://127.0.0.2:1/', 'http://169.254.169.254/', 'file:///etc/passwd', '//localhost/'],
    ...['http://127.0.0.1:8500/v1/agent/leave', 'http://2130706434/', 'https://127.0.0.1/'],
  ])('follows no redirect to another host or port: %s', async (location) => {
    answer = redirect(location);
    expect(await run(http())).toEqual({
      status: 'critical',
      output: 'HTTP 302 to another host or port is not followed',
    });
    expect(seen).toHaveLength(1);
  });

  test('does not follow redirects forever', async () => {
    answer = redirect('/again');
    expect(await run(http())).toEqual({ status: 'critical', output: 'more than 10 redirects' });
    expect(seen).toHaveLength(11);
  });

  test('needs only the status, however long the body', async () => {
    answer = (_, response) => void response.writeHead(200).write('x');
    expect(await run(http())).toMatchObject({ status: 'passing' });
  });

  test.each<[string, RequestListener]>([
    ['without an answer', () => {}],
    ['that is hung up on', (request) => void request.socket.destroy()],
    [
      'that is upgraded unasked',
      (request) => void request.socket.end('HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
    ],
  ])('%s is critical', async (_, listener) => {
    answer = listener;
    expect(await run(http(), 200)).toMatchObject({ status: 'critical' });
  });

  test('with a refused connection is critical, with the reason', async () => {
    const { status, output } = await run({ kind: 'http', url: 'http://127.0.0.1:1/' });
    expect(status).toBe('critical');
    expect(output).toContain('ECONNREFUSED');
  });
});

describe('an HTTPS check', () => {
  const made = execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-subj', '/CN=x', '-days', '2', '-keyout', '-', '-out', '-'],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  ).toString();
  const secure = createTlsServer({ key: made, cert: made }, (_, response) => void response.end());

  beforeAll(() => new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve)));
  afterAll(() => void secure.close());

  test('rejects a self-signed certificate unless verification is off', async () => {
    const url = `https://127.0.0.1:${(secure.address() as AddressInfo).port}/`;
    expect(await run({ kind: 'http', url })).toMatchObject({ status: 'critical' });
    expect(await run({ kind: 'http', url, tlsSkipVerify: true })).toMatchObject({ status: 'passing' });
  });
});

describe('a TCP check', () => {
  test('passes if a server listens', async () => {
    expect(await run({ kind: 'tcp', target: `127.0.0.1:${port}` })).toEqual({
      status: 'passing',
      output: 'connected',
    });
  });

  test.each(['127.0.0.1:1', '[::1]:1'])('is critical if no server listens: %s', async (target) => {
    const { status, output } = await run({ kind: 'tcp', target });
    expect(status).toBe('critical');
    expect(output).toMatch(/ECONNREFUSED|EADDRNOTAVAIL/);
  });
});
