import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DockerClient } from '../../src/docker/client.ts';

let folder: string;
let server: Server;
let asked: string[];
let answer: (path: string) => readonly [status: number, body: unknown];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-docker-'));
  asked = [];
  answer = () => [200, { ApiVersion: '1.41', MinAPIVersion: '1.12' }];
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const [status, body] = answer(request.url ?? '');
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(join(folder, 'docker.sock'), resolve));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

const client = (trace?: (line: string) => void) =>
  new DockerClient({ kind: 'unix', path: join(folder, 'docker.sock') }, trace);

describe('a Docker engine', () => {
  it.each([
    ['an older engine is spoken to in its own version', '1.30', '/v1.30/info'],
    ['a newer one in the newest that heddle is tested with', '9.99', '/v1.51/info'],
  ])('%s', async (_, ApiVersion, path) => {
    answer = () => [200, { ApiVersion, MinAPIVersion: '1.12' }];
    await client().call('ask', (docker) => docker.info());
    expect(asked).toEqual(['GET /version', `GET ${path}`]);
  });

  it('that has dropped our newest version is called with its oldest', async () => {
    answer = () => [200, { ApiVersion: '1.70', MinAPIVersion: '1.60' }];
    await client().call('ask', (docker) => docker.info());
    expect(asked).toEqual(['GET /version', 'GET /v1.60/info']);
  });

  it('of another major version is not supported', async () => {
    answer = () => [200, { ApiVersion: '9.99', MinAPIVersion: '9.0' }];
    await expect(client().call('ask', (docker) => docker.info())).rejects.toMatchObject({
      code: 'not-supported',
    });
  });

  it.each([
    [404, 'not-found'],
    [409, 'refused'],
    [500, 'failed'],
    [503, 'unreachable'],
  ])("answers %i: %s, with the engine's message", async (status, code) => {
    const docker = client();
    await docker.call('ask', (engine) => engine.info());
    answer = () => [status, { message: 'no luck' }];
    await expect(docker.call('ask for it', (engine) => engine.info())).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/^cannot ask for it at the Docker engine unix:.*docker\.sock: no luck/),
    });
  });

  it.each([
    'container 9f48 does not exist in database: no such container',
    'no container with ID 9f48 found in database: no such container',
    'no container with name or ID "web" found',
    'unable to find network with name or ID x: no such network',
  ])('that answers 500 with %j, like podman, means not found', async (message) => {
    const docker = client();
    await docker.call('ask', (engine) => engine.info());
    answer = () => [500, { cause: 'no such container', message, response: 500 }];
    await expect(docker.call('ask for it', (engine) => engine.info())).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('is the given one, whatever DOCKER_HOST this process has', async () => {
    vi.stubEnv('DOCKER_HOST', 'tcp://192.0.2.1:2375');
    await client().call('ask', (docker) => docker.info());
    expect(asked).toEqual(['GET /version', 'GET /v1.41/info']);
  });

  it('that is absent is unreachable, and is found when it comes', async () => {
    const absent = new DockerClient({ kind: 'unix', path: join(folder, 'absent.sock') });
    await expect(absent.call('ask', (docker) => docker.info())).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/the socket does not exist/),
    });
    const late = createServer((_, response) => response.end('{"ApiVersion":"1.41"}'));
    await new Promise<void>((resolve) => late.listen(join(folder, 'absent.sock'), resolve));
    await expect(absent.call('ask', (docker) => docker.info())).resolves.toBeDefined();
    late.closeAllConnections();
    await new Promise((resolve) => late.close(resolve));
  });

  it('is traced call by call', async () => {
    const lines: string[] = [];
    await client((line) => lines.push(line)).call('ask', (docker) => docker.listContainers({ all: true }));
    expect(lines).toEqual(['GET /version', 'GET /containers/json']);
  });

  it('that never answers fails in bounded time', async () => {
    const docker = client();
    await docker.call('ask', (engine) => engine.info());
    await expect(docker.call('wait for it', () => new Promise(() => {}), 30)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/no answer in 0.03 s/),
    });
  });
});
