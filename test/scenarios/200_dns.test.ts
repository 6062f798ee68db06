import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { type ConsulAgent, startConsul } from '../support/consul.ts';
import { count } from '../support/counts.ts';
import { dataOf, dig } from '../support/dig.ts';
import { docker, removeContainers } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { Fleet } from '../support/fleet.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/folder.ts';
import { type Daemon, startDaemon } from '../support/heddle.ts';
import { runProgram, succeed } from '../support/program.ts';

const web = 'web.service.dc1.consul';
/** A resolver of another domain, on an address and the port that resolv.conf can name. */
const UPSTREAM = '127.0.0.9';
/** Documentation addresses (RFC 5737) for a host with a foreign client. */
const [HOST, NEIGHBOUR, FOREIGNER] = ['192.0.2.1', '192.0.2.2', '198.51.100.7'];

let folder: TemporaryFolder;
let upstream: ConsulAgent;
let daemon: Daemon;
let bridgeAddress: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  upstream = await startConsul({
    portOffset: 1000,
    dnsPort: 53,
    configuration: `domain = "example." addresses { dns = "${UPSTREAM}" }`,
  });
  await upstream.put('/v1/agent/service/register', { Name: 'far', Address: '203.0.113.5', Port: 443 });
  await writeFile(join(folder.path, 'resolv.conf'), `nameserver ${UPSTREAM}\n`);
  await makeNeighbour();
  daemon = await startDaemon([
    '--resolv-conf',
    join(folder.path, 'resolv.conf'),
    '--dns-listen',
    `${HOST}:53`,
  ]);
  bridgeAddress = /--dns (\S+)/.exec((await daemon.command('dns-args')).stdout)?.[1] as string;
});

afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await upstream?.stop();
  await folder?.[Symbol.asyncDispose]();
  await runProgram('ip', ['netns', 'delete', 'neighbour']);
  await clearWorld();
});

/** A neighbouring machine that also sends from an address outside all local networks. */
async function makeNeighbour(): Promise<void> {
  await succeed('ip', ['netns', 'add', 'neighbour']);
  await succeed('ip', [
    'link',
    'add',
    'uplink',
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'netns',
    'neighbour',
  ]);
  await succeed('ip', ['address', 'add', `${HOST}/24`, 'dev', 'uplink']);
  await succeed('ip', ['link', 'set', 'uplink', 'up']);
  for (const args of [
    ['address', 'add', `${NEIGHBOUR}/24`, 'dev', 'eth0'],
    ['address', 'add', `${FOREIGNER}/32`, 'dev', 'eth0'],
    ['link', 'set', 'eth0', 'up'],
  ]) {
    await succeed('ip', ['-n', 'neighbour', ...args]);
  }
  await succeed('ip', ['route', 'add', `${FOREIGNER}/32`, 'dev', 'uplink']);
}

/** Asks heddle from the neighbour, sending from this address. */
const digFrom = (source: string, name: string) =>
  dig(name, { server: HOST, namespace: 'neighbour', args: ['-b', source] });

test('the same answers come by UDP and TCP, on the Docker bridge and on the address of --dns-listen', async () => {
  await using _web = await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=web', '--expose', '80']);
  for (const server of [{ server: bridgeAddress }, { server: '127.0.0.1', port: daemon.dnsPort }]) {
    for (const tcp of [false, true]) {
      await eventually(async () => {
        const reply = await dig(web, { ...server, tcp });
        expect(dataOf(reply)).toEqual(['10.2.1.1']);
        expect(reply.flags).toEqual(expect.arrayContaining(['qr', 'aa']));
      });
    }
  }
});

test('the weave bridge itself answers, for containers that have no other network', async () => {
  await using _web = await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=web']);
  await succeed('ip', ['address', 'add', '10.2.0.1/16', 'dev', 'weave']);
  await using lonely = await daemon.run(['10.2.1.2/16'], ['--net=none']);
  await eventually(async () => {
    expect(await lonely.exec('nslookup', web, '10.2.0.1')).toContain('10.2.1.1');
  });
});

test('an unknown name is NXDOMAIN, a name without such a record is empty; both carry the SOA', async () => {
  await using _web = await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=web']);
  await eventually(async () => expect(dataOf(await daemon.dig(web))).toEqual(['10.2.1.1']));
  const unknown = await daemon.dig('nope.service.dc1.consul');
  expect(unknown).toMatchObject({ status: 'NXDOMAIN', answers: [] });
  const empty = await daemon.dig(web, { type: 'AAAA' });
  expect(empty).toMatchObject({ status: 'NOERROR', answers: [] });
  for (const reply of [unknown, empty]) {
    expect(reply.authority).toMatchObject([{ name: 'consul.', ttl: 0, type: 'SOA' }]);
    expect(reply.authority[0]?.data).toMatch(/^ns\.consul\. hostmaster\.consul\. \d+ 3600 600 86400 0$/);
  }
});

test('a container with an IPv6 address has an AAAA record', async () => {
  // Docker switches IPv6 off in containers of networks without it.
  const flags = ['--net=none', '--sysctl', 'net.ipv6.conf.all.disable_ipv6=0', '-e', 'SERVICE_NAME=six'];
  await using _six = await daemon.run(['fd00:2::1/64'], flags);
  await eventually(async () => {
    expect(dataOf(await daemon.dig('six.service.dc1.consul', { type: 'AAAA' }))).toEqual(['fd00:2::1']);
  });
});

test('a container uses the resolver it was given, and reaches another container by name', async () => {
  const page = 'echo hello > /tmp/index.html; exec httpd -f -h /tmp';
  await using _web = await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=web'], ['sh', '-c', page]);
  await using client = await daemon.run(['--with-dns', '10.2.1.2/16']);
  expect(await client.exec('cat', '/etc/resolv.conf')).toContain(`nameserver ${bridgeAddress}`);
  await eventually(async () => expect(await client.exec('nslookup', web)).toContain('10.2.1.1'));
  await eventually(async () => {
    expect(await client.exec('timeout', '3', 'wget', '-q', '-O', '-', `http://${web}/`)).toBe('hello');
  });
});

test('more containers than a packet holds: UDP gives as many as fit, with the truncation flag; TCP gives all', async () => {
  const number = count(12, 40);
  const fleet = new Fleet('10.2.5');
  const names = Array.from({ length: number }, (_, index) => `big-${index}`);
  await fleet.startAll(names, { env: { SERVICE_NAME: 'big' } });
  await eventually(async () => {
    const reply = await daemon.dig('big.service.dc1.consul', { type: 'SRV', tcp: true });
    expect(reply.answers).toHaveLength(number);
  });
  const cut = await daemon.dig('big.service.dc1.consul', { type: 'SRV', args: ['+noedns'] });
  expect(cut.flags).toContain('tc');
  expect(cut.answers.length).toBeGreaterThan(3);
  expect(cut.answers.length).toBeLessThan(number);
  await fleet.end(...names);
});

test('other names are forwarded to the resolvers of resolv.conf, for the host and for its containers', async () => {
  const reply = await daemon.dig('far.service.example');
  expect(dataOf(reply)).toEqual(['203.0.113.5']);
  expect(dataOf(await daemon.dig('far.service.example', { tcp: true }))).toEqual(['203.0.113.5']);
  expect((await daemon.dig('nope.service.example')).status).toBe('NXDOMAIN');
  await using client = await daemon.run(['--with-dns', '10.2.1.2/16']);
  expect(await client.exec('nslookup', 'far.service.example')).toContain('203.0.113.5');
});

test('the first container on an idle Docker bridge counts as a local client from its first query on', async () => {
  await removeContainers();
  for (let times = 0; times < 3; times++) {
    await eventually(async () => {
      expect(await readFile('/sys/class/net/docker0/operstate', 'utf8')).toBe('down\n');
    });
    // The host asks as well, so that heddle has just read its local networks.
    const asking = new AbortController();
    const host = askUntil(asking.signal);
    const lookup = docker(
      'run',
      '--rm',
      '--dns',
      bridgeAddress,
      'busybox',
      'nslookup',
      'far.service.example',
    );
    expect(await lookup.finally(() => asking.abort())).toContain('203.0.113.5');
    await host;
  }
});

async function askUntil(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await daemon.dig('far.service.example');
}

test('other names are refused to external clients: heddle is no open resolver', async () => {
  expect(dataOf(await digFrom(NEIGHBOUR as string, 'far.service.example'))).toEqual(['203.0.113.5']);
  expect(await digFrom(FOREIGNER as string, 'far.service.example')).toMatchObject({
    status: 'REFUSED',
    answers: [],
  });
});

test('a silent upstream is reported as a failure, and own names are answered meanwhile', async () => {
  await using _web = await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=web']);
  upstream.freeze();
  const silent = dig('far.service.example', { port: daemon.dnsPort, args: ['+time=10'] });
  await eventually(async () => expect(dataOf(await daemon.dig(web))).toEqual(['10.2.1.1']));
  expect((await silent).status).toBe('SERVFAIL');
  upstream.thaw();
});
