/**
 * `node simulated-engine.ts SOCKET COUNT [PID…]`: the part of a Docker engine's API that heddle uses, with so many
 * running containers that never change. Their JSON is as long as a real engine's. With pids, each container requests an
 * address. Without pids, their processes do not exist, so no namespace is read and nothing is attached: then heddle's own
 * work is measured, not the kernel's.
 */
import http, { type ServerResponse } from 'node:http';
import { simulatedId } from './simulated-id.ts';

const [socket = '', count = '0', ...pids] = process.argv.slice(2);

const ids = Array.from({ length: Number(count) }, (_, index) => simulatedId(index));
const numbers = new Map(ids.map((id, index) => [id, index]));
const ipOf = (index: number) => `172.${16 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
const nameOf = (index: number) => `s${count}-${index}`;

/** No kernel assigns such a pid. */
const NO_PID = 2 ** 23;

const filler = (prefix: string, lines: number) =>
  Array.from({ length: lines }, (_, line) => `${prefix}_${line}=${'value'.repeat(6)}`);

function networks(index: number): object {
  return {
    bridge: {
      NetworkID: 'b'.repeat(64),
      EndpointID: 'e'.repeat(64),
      Gateway: '172.17.0.1',
      IPAddress: ipOf(index),
      IPPrefixLen: 12,
      GlobalIPv6Address: '',
      MacAddress: '02:42:ac:11:00:02',
    },
  };
}

function listed(id: string, index: number): object {
  return {
    Id: id,
    Names: [`/${nameOf(index)}`],
    Image: 'busybox',
    ImageID: `sha256:${'c'.repeat(64)}`,
    Command: 'sleep 3600',
    Created: 1_700_000_000,
    Ports: [{ PrivatePort: 80, Type: 'tcp' }],
    Labels: { maintainer: 'bench' },
    State: 'running',
    Status: 'Up 2 hours',
    HostConfig: { NetworkMode: 'default' },
    NetworkSettings: { Networks: networks(index) },
    Mounts: [],
  };
}

function inspected(id: string, index: number): object {
  const pid = Number(pids[index] ?? NO_PID);
  const requested = pid === NO_PID ? {} : { 'heddle.cidr': `10.2.${index >> 7}.${(index & 127) + 1}/16` };
  return {
    Id: id,
    Created: '2026-11-21T10:00:00.000000000Z',
    Path: 'sleep',
    Args: ['3600'],
    State: { Status: 'running', Running: true, Pid: pid, ExitCode: 0, StartedAt: '2026-11-21T10:00:00Z' },
    Image: `sha256:${'c'.repeat(64)}`,
    Name: `/${nameOf(index)}`,
    HostConfig: { NetworkMode: 'default', Binds: filler('/srv/data', 10), Ulimits: filler('ulimit', 30) },
    GraphDriver: { Name: 'overlay2', Data: { LowerDir: '/var/lib/docker/overlay2/'.repeat(40) } },
    Config: {
      Hostname: id.slice(0, 12),
      Env: [`SERVICE_NAME=${nameOf(index)}`, ...filler('VARIABLE', 15)],
      Labels: { maintainer: 'bench', ...requested },
      Image: 'busybox',
      ExposedPorts: { '80/tcp': {} },
    },
    NetworkSettings: { Ports: { '80/tcp': null }, Networks: networks(index) },
  };
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

http
  .createServer((request, response) => {
    const path = (request.url ?? '').replace(/^\/v[\d.]+/, '').replace(/\?.*/, '');
    const id = /^\/containers\/(\w{64})\/json$/.exec(path)?.[1];
    const index = numbers.get(id ?? '');
    if (path === '/version') answer(response, 200, { ApiVersion: '1.41', MinAPIVersion: '1.12' });
    else if (path === '/info') answer(response, 200, { ID: 'simulated', Name: 'bench', ServerVersion: '20' });
    else if (path === '/containers/json') answer(response, 200, ids.map(listed));
    else if (id !== undefined && index !== undefined) answer(response, 200, inspected(id, index));
    else if (path === '/events') response.writeHead(200).flushHeaders();
    else if (path === '/networks/bridge') answer(response, 200, { Options: {} });
    else answer(response, 404, { message: `no such thing: ${path}` });
  })
  .listen(socket, () => process.stdout.write('ready\n'));
