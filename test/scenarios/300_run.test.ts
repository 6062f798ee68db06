import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { clearWorld, leftOnHost } from '../support/cleanup.ts';
import { dataOf } from '../support/dig.ts';
import { type Container, docker, ethwe, runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { heddle } from '../support/heddle.ts';
import { succeed } from '../support/program.ts';
import { scenario } from '../support/scenario.ts';

const { daemon } = scenario();

const sleeper = ['--init', 'busybox', 'sleep', '3600'];

describe('heddle run', () => {
  test('starts the container in the background, attaches it, and prints its id last', async () => {
    const { status, stdout, stderr } = await daemon.command(
      'run',
      '10.2.1.1/16',
      '--name',
      'web',
      ...sleeper,
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
    expect(await docker('inspect', '--format', '{{.Id}} {{.State.Running}}', 'web')).toBe(
      `${stdout.trim()} true`,
    );
    expect(await ethwe('web')).toContain('inet 10.2.1.1/16');
    expect(await docker('exec', 'web', 'ip', 'link', 'show', 'ethwe')).toMatch(/UP.*mtu 1450/s);
  });

  test.each([
    ['before the addresses', ['--with-dns', '10.2.1.1/16', '10.3.1.1/24']],
    ['after the addresses', ['10.2.1.1/16', '10.3.1.1/24', '--with-dns']],
    ['between the addresses', ['10.2.1.1/16', '--with-dns', '10.3.1.1/24']],
  ])('takes --with-dns %s, and several addresses (weave#280)', async (_, args) => {
    await using container = await daemon.run(args);
    const addresses = await ethwe(container.id);
    expect(addresses).toContain('inet 10.2.1.1/16');
    expect(addresses).toContain('inet 10.3.1.1/24');
    const { stdout } = await daemon.command('dns-args');
    const [, address] = stdout.split(' ');
    expect(await container.exec('cat', '/etc/resolv.conf')).toContain(`nameserver ${address}`);
  });

  test('gives no resolver without --with-dns, and none to a later --with-dns of the command (weave#280)', async () => {
    await using plain = await daemon.run(['10.2.1.1/16'], [], ['sh', '-c', 'sleep 3600', '--with-dns']);
    const [, address] = (await daemon.command('dns-args')).stdout.split(' ');
    expect(await plain.exec('cat', '/etc/resolv.conf')).not.toContain(`nameserver ${address}`);
  });

  test.each([
    ['by hand', ({ id }: Container) => docker('restart', id)],
    ['by its restart policy', async (web: Container) => process.kill(await web.pid(), 'SIGKILL')],
  ])('gives the address back when Docker restarts the container %s', async (_, restart) => {
    const flags = ['-e', 'SERVICE_NAME=web', '--restart', 'always'];
    await using web = await daemon.run(['10.2.1.1/16'], flags);
    const before = await web.pid();
    await restart(web);
    await eventually(async () => expect([0, before]).not.toContain(await web.pid()));
    await eventually(async () => expect(await ethwe(web.id)).toContain('inet 10.2.1.1/16'));
    await eventually(async () =>
      expect(dataOf(await daemon.dig('web.service.dc1.consul'))).toEqual(['10.2.1.1']),
    );
  });

  test("passes on docker's own failure and exit status", async () => {
    const { status, stdout, stderr } = await daemon.command('run', '10.2.1.1/16', '--nosuchflag', 'busybox');
    expect({ status, stdout }).toEqual({ status: 125, stdout: '' });
    expect(stderr).toContain('nosuchflag');
    const noProgram = await daemon.command('run', '10.2.1.1/16', 'busybox', '/nosuch');
    expect(noProgram).toMatchObject({ status: 127, stdout: '', stderr: expect.stringContaining('/nosuch') });
  });
});

test('containers fetch pages from each other over ethwe, although Docker drops forwarded packets', async () => {
  expect(await succeed('iptables', ['-S', 'FORWARD'])).toContain('-P FORWARD DROP');
  expect((await readFile('/proc/sys/net/bridge/bridge-nf-call-iptables', 'utf8')).trim()).toBe('1');
  const page = 'echo hello > /tmp/index.html; exec httpd -f -h /tmp';
  await using _server = await daemon.run(['10.2.1.1/16'], ['--net=none'], ['sh', '-c', page]);
  await using client = await daemon.run(['10.2.1.2/16'], ['--net=none']);
  const fetch = ['timeout', '3', 'wget', '-q', '-O', '-', 'http://10.2.1.1/'];
  await eventually(async () => expect(await client.exec(...fetch)).toBe('hello'));
});

test('flushed rules are restored when the daemon starts', async () => {
  await using _container = await daemon.run(['10.2.1.1/16']);
  const ours = async () => (await leftOnHost()).filter((trace) => trace.startsWith('iptables -A FORWARD'));
  expect(await ours()).toHaveLength(1);
  await daemon.stop(); // it would bring them back by itself, within ten seconds
  await succeed('iptables', ['-w', '-F', 'FORWARD']);
  expect(await ours()).toEqual([]);
  await daemon.start();
  await eventually(async () => expect(await ours()).toHaveLength(1));
});

test('attach and detach print the addresses, may be repeated, and the name follows (weave#500, weave#510)', async () => {
  await using web = await runContainer(['-e', 'SERVICE_NAME=web']);
  const name = 'web.service.dc1.consul';
  for (let times = 0; times < 2; times++) {
    expect(await daemon.command('attach', '10.2.1.1/16', '10.3.1.1/24', web.name)).toEqual({
      status: 0,
      stdout: '10.2.1.1 10.3.1.1\n',
      stderr: '',
    });
  }
  await eventually(async () => expect(dataOf(await daemon.dig(name))).toEqual(['10.2.1.1']));
  for (let times = 0; times < 2; times++) {
    expect(await daemon.command('detach', '10.2.1.1/16', web.id.slice(0, 12))).toMatchObject({
      status: 0,
      stderr: '',
    });
  }
  expect(await ethwe(web.id)).not.toContain('10.2.1.1/16');
  await eventually(async () => expect(dataOf(await daemon.dig(name))).toEqual(['10.3.1.1']));
  await daemon.command('detach', '10.3.1.1/24', web.name);
  await expect(ethwe(web.id)).rejects.toThrow();
  const own = await web.address();
  await eventually(async () => expect(dataOf(await daemon.dig(name))).toEqual([own]));
});

test('dns-args prints the flags, and ignores everything after the image name', async () => {
  const dnsArgs = async (...args: string[]) => (await daemon.command('dns-args', ...args)).stdout;
  const plain = await dnsArgs();
  expect(plain).toMatch(/^--dns \d+\.\d+\.\d+\.\d+ --dns-search=\.\n$/);
  const withoutSearch = plain.replace(' --dns-search=.', '');
  expect(await dnsArgs('--dns-search=example.com', 'busybox')).toBe(withoutSearch);
  expect(await dnsArgs('--dns-search', 'example.com', 'busybox')).toBe(withoutSearch);
  expect(await dnsArgs('-it', '--name', 'x', 'busybox', 'sh', '--dns-search=example.com')).toBe(plain);
  expect(await dnsArgs('--flag-of-the-future', 'value', '--dns-search=a', 'busybox')).toBe(withoutSearch);
});

test('ps shows every container with its addresses, services and the reason for its address', async () => {
  await using web = await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=web', '--expose', '80']);
  await using plain = await runContainer();
  await eventually(async () => {
    const { status, stdout } = await daemon.command('ps');
    expect(status).toBe(0);
    const rows = stdout.split('\n');
    expect(rows[0]).toMatch(/^CONTAINER +NAME +ADDRESSES +SERVICES/);
    expect(rows.find((row) => row.includes(web.name))).toMatch(
      /10\.2\.1\.1\/16.* web .*10\.2\.1\.1: .*ethwe/,
    );
    expect(rows.find((row) => row.startsWith(plain.id.slice(0, 12)))).toContain(plain.name);
  });
  const { stdout } = await daemon.command('ps', '--format', 'json', web.name);
  expect(JSON.parse(stdout)).toMatchObject([{ container: web.id, services: [{ name: 'web', port: 80 }] }]);
  expect((await daemon.command('ps', 'nosuch')).status).toBe(3);
});

test('status prints the state of every part', async () => {
  await using _web = await daemon.run(['10.2.1.1/16']);
  await eventually(async () => {
    const { status, stdout } = await daemon.command('status');
    expect(status).toBe(0);
    for (const part of ['Heddle', 'Docker', 'Containers', 'Registry', 'DNS', 'Network']) {
      expect(stdout).toContain(`${part}: `);
    }
    expect(stdout).toMatch(/Containers: 1 running, 1 announced/);
    expect(stdout).toContain(`127.0.0.1:${daemon.dnsPort}`);
  });
  const { stdout } = await daemon.command('status', '--format', 'json');
  expect(JSON.parse(stdout)).toMatchObject({
    daemon: { pid: expect.any(Number) },
    registry: { name: 'embedded' },
  });
});

test('--local runs a command without any daemon', async () => {
  await daemon.stop();
  await using web = await runContainer();
  const attached = await heddle(['--local', 'attach', '10.2.1.1/16', web.name]);
  expect(attached).toEqual({ status: 0, stdout: '10.2.1.1\n', stderr: '' });
  expect(await ethwe(web.id)).toContain('inet 10.2.1.1/16');
  const listed = await heddle(['--local', 'ps']);
  expect(listed.stdout).toMatch(new RegExp(`${web.name}.*10\\.2\\.1\\.1/16`));
  expect((await heddle(['--local', 'detach', '10.2.1.1/16', web.name])).status).toBe(0);
  await expect(ethwe(web.id)).rejects.toThrow();
  await daemon.start();
});

test('create-bridge makes the bridge and its rules, once, and needs no Docker', async () => {
  await clearWorld();
  const withoutDocker = { env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' } };
  for (let times = 0; times < 2; times++) {
    expect(await heddle(['create-bridge'], withoutDocker)).toEqual({ status: 0, stdout: '', stderr: '' });
  }
  const left = await leftOnHost();
  expect(left.filter((trace) => trace === 'weave')).toHaveLength(1);
  expect(left.filter((trace) => trace.startsWith('iptables -A FORWARD -i weave -o weave'))).toHaveLength(1);
  expect(await succeed('ip', ['-d', 'link', 'show', 'weave'])).toMatch(/mtu 1450.*bridge .*stp_state 0/s);
});
