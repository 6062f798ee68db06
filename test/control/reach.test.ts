import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reachHost } from '../../src/control/reach.ts';
import { DockerClient } from '../../src/docker/client.ts';

let folder: string;
let servers: Server[];
/** Docker's answers by the end of a path; any other path is not found. */
let engine: Record<string, unknown>;

const answering = async (listen: string | number, answer: (path: string) => unknown): Promise<Server> => {
  const server = createServer((request, response) => {
    const body = answer(request.url ?? '');
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(body === undefined ? '{"message": "no such thing"}' : JSON.stringify(body));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(listen, resolve));
  return server;
};
const docker = (path: string) => engine[Object.keys(engine).find((end) => path.endsWith(end)) ?? ''];
const socket = () => join(folder, 'heddle.sock');
const settings = () => ({ socket: socket(), containerName: 'heddle', image: 'heddle:test' });
const reached = async (client: DockerClient) => await reachHost(settings(), client, { flags: [], env: {} });

async function byTcp(): Promise<DockerClient> {
  const { port } = (await answering(0, docker)).address() as AddressInfo;
  return new DockerClient({ kind: 'tcp', host: 'localhost', port, tls: undefined });
}
async function bySocket(): Promise<DockerClient> {
  const path = join(folder, 'docker.sock');
  await answering(path, docker);
  return new DockerClient({ kind: 'unix', path });
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-reach-'));
  servers = [];
  engine = { '/version': { ApiVersion: '1.41', MinAPIVersion: '1.12' }, '/info': { ID: 'FAR' } };
});
afterEach(async () => {
  for (const server of servers) server.closeAllConnections();
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  await rm(folder, { recursive: true });
});

describe('with a daemon on this host that cannot be asked', () => {
  const RUNS = { Id: 'a1b2', Name: '/heddle', State: { Running: true, Pid: 7 }, Config: {}, HostConfig: {} };
  // No daemon answers like this: it is as unusable as one that hangs.
  beforeEach(() => answering(socket(), () => 'gibberish'));

  it.each([
    ['the heddle container', { '/containers/heddle/json': RUNS }],
    ['a helper container', { '/images/heddle:test/json': { Id: 'x' } }],
  ])('commands for a remote engine run in %s there', async (_, more) => {
    engine = { ...engine, ...more };
    expect(await reached(await byTcp())).toBeTypeOf('function');
  });

  it('a remote engine without heddle is reported as not found', async () => {
    await expect(reached(await byTcp())).rejects.toMatchObject({ code: 'not-found' });
  });

  it("commands for this host's engine run in its heddle container, and never in a helper", async () => {
    const client = await bySocket();
    engine = { ...engine, '/images/heddle:test/json': { Id: 'x' } };
    const problem = { code: 'unreachable', message: expect.stringContaining(socket()) };
    await expect(reached(client)).rejects.toMatchObject(problem);
    engine = { ...engine, '/containers/heddle/json': RUNS };
    expect(await reached(client)).toBeTypeOf('function');
  });

  it('the daemon is reported as the problem where this host has no Docker either', async () => {
    const nowhere = new DockerClient({ kind: 'unix', path: join(folder, 'nowhere.sock') });
    await expect(reached(nowhere)).rejects.toMatchObject({ message: expect.stringContaining(socket()) });
  });
});
