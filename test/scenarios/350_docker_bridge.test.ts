import { mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../scripts/root.ts';
import { clearWorld, leftOnHost } from '../support/cleanup.ts';
import { type ConsulAgent, startConsul } from '../support/consul.ts';
import { dataOf, dig } from '../support/dig.ts';
import { docker, startEngine, stopEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { type Daemon, HEDDLE, startDaemon } from '../support/heddle.ts';
import { runProgram, succeed } from '../support/program.ts';

/** The bridge is Docker's own: what "Adventures with Weave and Docker" did in 2015, with heddle in weave's place. */
let consul: ConsulAgent;
let daemon: Daemon;

const example = (path: string) => readFile(join(ROOT, 'examples', path), 'utf8');
/** Debian's ifup and ifdown; they run commands with a PATH of their own, whose first folder is this one. */
const PATH_OF_IFUP = '/usr/local/sbin';
const interfaces = (program: 'ifup' | 'ifdown') =>
  // Without the exception ifdown takes the loopback device with it, and every later scenario's daemon.
  succeed(program, [
    '-a',
    '--exclude=lo',
    '-i',
    join(ROOT, 'examples/ifupdown/weave'),
    '--state-dir=/run/network',
  ]);

beforeAll(async () => {
  await stopEngine();
  await clearDefaultBridge();
  await succeed('mount', ['-t', 'tmpfs', 'tmpfs', PATH_OF_IFUP]);
  await symlink(HEDDLE, join(PATH_OF_IFUP, 'heddle'));
  await mkdir('/run/network', { recursive: true });
  await interfaces('ifup');
  const settings = Object.entries(JSON.parse(await example('docker-bridge/daemon.json')) as object);
  await startEngine(settings.map(([key, value]) => `--${key}=${value}`));
  consul = await startConsul();
  daemon = await startDaemon(['-internal', consul.uri]);
});
afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await consul?.[Symbol.asyncDispose]();
  await stopEngine();
  await runProgram('umount', [PATH_OF_IFUP]);
  await startEngine();
  await clearWorld();
});

/** docker0 stays when its engine ends, and its routes with it. */
const clearDefaultBridge = () => succeed('sh', ['-c', 'ip link delete docker0 2>/dev/null || true']);

const page = ['sh', '-c', 'echo "hello from weave" > /var/www/index.html; exec httpd -f -p 80 -h /var/www'];
const fetchPage = (url: string) => succeed('timeout', ['5', 'busybox', 'wget', '-q', '-O', '-', url]);
const ownAddress = (name: string) =>
  docker('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', name);
const consulSays = async (name: string) => dataOf(await dig(name, { port: consul.dnsPort, type: 'ANY' }));

test("the article's web server is found at its own address, and its page at both addresses", async () => {
  await docker('tag', 'busybox', 'sttts/python-ubuntu');
  await docker('run', '-itd', '--init', '--name', 'server', '-p', '12345:80', 'sttts/python-ubuntu', ...page);
  const ip = await ownAddress('server');
  expect(ip).toMatch(/^10\.2\.1\.\d+$/);
  await eventually(async () => expect(await consulSays('python-ubuntu.service.dc1.consul')).toEqual([ip]));
  const heddles = dataOf(await daemon.dig('python-ubuntu.service.dc1.consul', { type: 'ANY' }));
  expect(heddles).toEqual([ip]);
  const srv = dataOf(await dig('python-ubuntu.service.dc1.consul', { port: consul.dnsPort, type: 'SRV' }));
  expect(srv[0]).toMatch(/^\d+ \d+ 80 /);
  for (const url of [`http://${ip}`, 'http://127.0.0.1:12345', 'http://10.2.0.1:12345']) {
    // The container is registered when it runs, which may be before its server listens.
    await eventually(async () => expect(await fetchPage(url)).toBe('hello from weave'));
  }
});

test('containers reach each other and the host, with the MTU of the network, and resolve names by heddle', async () => {
  const { stdout } = await daemon.command('dns-args');
  expect(stdout).toContain('10.2.0.1');
  const client = [
    'run',
    '-d',
    '--init',
    '--name',
    'client',
    ...stdout.trim().split(' '),
    'busybox',
    'sleep',
    '3600',
  ];
  await docker(...client);
  expect(await docker('exec', 'client', 'ping', '-c', '1', '-W', '2', '10.2.0.1')).toContain(
    '1 packets received',
  );
  expect(await docker('exec', 'client', 'cat', '/sys/class/net/eth0/mtu')).toBe('1450');
  await eventually(async () =>
    expect(
      await docker(
        'exec',
        'client',
        'timeout',
        '5',
        'wget',
        '-q',
        '-O',
        '-',
        'http://python-ubuntu.service.dc1.consul',
      ),
    ).toBe('hello from weave'),
  );
});

test("Marathon's applications are found by service and customer", async () => {
  const app = ['-e', 'MARATHON_APP_ID=/web/customer1/site1', '--expose', '80'];
  await docker('run', '-d', '--init', '--name', 'site1', ...app, 'busybox', ...page);
  const ip = await ownAddress('site1');
  await eventually(async () => expect(await consulSays('web.service.dc1.consul')).toEqual([ip]));
  expect(await consulSays('site1-customer1.web.service.dc1.consul')).toEqual([ip]);
});

test('attach refuses an address that Docker has assigned', async () => {
  const ip = await ownAddress('server');
  const { stderr } = await daemon.command('attach', `${ip}/16`, 'client');
  expect(stderr).toMatch(new RegExp(`^heddle: ${ip}/16 belongs to container 'server'`));
});

test("reset keeps Docker's bridge", async () => {
  const { status, stderr } = await daemon.command('reset');
  expect(status).toBe(1);
  expect(stderr).toMatch(/^heddle: weave is the bridge of the Docker engine/);
  expect(await fetchPage(`http://${await ownAddress('server')}`)).toBe('hello from weave');
});

test('ifdown removes the bridge once Docker has stopped', async () => {
  await daemon.stop();
  await stopEngine();
  expect(await leftOnHost()).toContain('weave');
  await interfaces('ifdown');
  expect(await leftOnHost()).not.toContain('weave');
});
