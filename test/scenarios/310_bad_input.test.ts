import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { clearWorld, leftOnHost } from '../support/cleanup.ts';
import { dataOf } from '../support/dig.ts';
import { containerIds, docker, removeContainers, runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { HEDDLE, heddle, startDaemon } from '../support/heddle.ts';
import { type Outcome, runProgram, succeed } from '../support/program.ts';
import { scenario } from '../support/scenario.ts';

/** Nothing on stdout, this exit status, and one sentence on stderr with these parts. */
function expectRefusal(outcome: Outcome, status: number, ...parts: readonly (string | RegExp)[]): void {
  expect(outcome).toMatchObject({ status, stdout: '' });
  expect(outcome.stderr).toMatch(/^heddle: [^\n]+\n$/);
  for (const part of parts) expect(outcome.stderr).toMatch(part);
}

describe('with a daemon', () => {
  const { daemon } = scenario({ keepContainers: true });
  let before: readonly string[];
  beforeAll(async () => {
    await daemon.command('create-bridge');
    before = await leftOnHost();
  });
  afterEach(async () => {
    await removeContainers();
    await eventually(async () => expect(await leftOnHost()).toEqual(before));
  });

  test.each([
    ['10.2.0.300/16', 'is no IP address'],
    ['10.2.1.1', 'has no prefix length'],
    ['10.2.1.1/33', 'has a prefix length beyond 32'],
    ['10.2.1.1/', 'has an empty prefix length'],
    ['10.2.0.0/16', "is the network's own name"],
    ['10.2.255.255/16', 'is the broadcast address'],
    ['127.0.0.1/8', 'is a loopback address'],
  ])('the address %s, which %s, is refused before anything is started', async (address) => {
    await using container = await runContainer();
    const quoted = address.replace(/[./]/g, '\\$&');
    expectRefusal(await daemon.command('run', address, 'busybox', 'true'), 2, new RegExp(quoted));
    expectRefusal(await daemon.command('attach', address, container.name), 2, new RegExp(quoted));
    expectRefusal(await daemon.command('detach', address, container.name), 2, new RegExp(quoted));
    expect(await containerIds()).toEqual([container.id]);
  });

  test('missing arguments are named', async () => {
    expectRefusal(await daemon.command('run'), 2, 'image');
    expectRefusal(await daemon.command('run', '10.2.1.1/16'), 2, 'image');
    expectRefusal(await daemon.command('attach', '10.2.1.1/16'), 2, "'10.2.1.1/16' is an address");
  });

  test('an unknown command and an unknown flag get a sentence and the usage status', async () => {
    for (const args of [['atach'], ['ps', '--nosuch']]) {
      const { status, stdout, stderr } = await daemon.command(...args);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toContain(args.at(-1));
    }
  });

  test('an unknown container is not found', async () => {
    expectRefusal(await daemon.command('attach', '10.2.1.1/16', 'nosuch'), 3, /'nosuch'.*no such container/);
    expectRefusal(await daemon.command('detach', '10.2.1.1/16', 'nosuch'), 3, 'nosuch');
  });

  test('a stopped container cannot be attached, and the error says how it ended', async () => {
    await using stopped = await runContainer([], ['sh', '-c', 'exit 3']);
    await docker('wait', stopped.id);
    expectRefusal(
      await daemon.command('attach', '10.2.1.1/16', stopped.name),
      1,
      stopped.name,
      /not running.*status 3/,
    );
  });

  test("a container with the host's network cannot be attached, and run removes it again", async () => {
    await using host = await runContainer(['--net=host']);
    expectRefusal(await daemon.command('attach', '10.2.1.1/16', host.name), 1, /host's network/);
    const { status, stdout, stderr } = await daemon.command(
      'run',
      '10.2.1.1/16',
      '--net=host',
      'busybox',
      'sleep',
      '60',
    );
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/host's network.*\n.*removed/);
    expect(await containerIds()).toEqual([host.id]);
  });

  test('a container whose ethwe is of another kind is left alone', async () => {
    await using own = await runContainer();
    const pid = String(await own.pid());
    await succeed('nsenter', ['--target', pid, '--net', 'ip', 'link', 'add', 'ethwe', 'type', 'bridge']);
    expectRefusal(await daemon.command('attach', '10.2.1.1/16', own.name), 1, 'ethwe');
  });

  test('a label with an invalid address attaches nothing, and ps gives the reason', async () => {
    await using odd = await runContainer(['--label', 'heddle.cidr=10.2.0.300/16', '-e', 'SERVICE_NAME=odd']);
    await eventually(async () => {
      expect((await daemon.command('ps', odd.name)).stdout).toMatch(/heddle\.cidr.*10\.2\.0\.300\/16/);
    });
  });

  test('a second daemon on the same socket is refused, and the first one keeps running', async () => {
    const second = await heddle(['daemon', '--socket', daemon.socket, '--state-dir', daemon.stateFolder]);
    expect(second.status).toBe(1);
    expect(second.stderr).toMatch(/^heddle: another heddle daemon/);
    expect((await daemon.command('status')).status).toBe(0);
  });
});

describe('without a daemon', () => {
  afterEach(() => clearWorld());

  test('without a heddle for the engine, the error explains how to start one', async () => {
    await using container = await runContainer();
    expectRefusal(await heddle(['attach', '10.2.1.1/16', container.name]), 3, 'heddle daemon', '--local');
    expect(await leftOnHost()).toEqual([]);
  });

  test('a missing Docker socket is reported as unreachable', async () => {
    const nowhere = { env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' } };
    expectRefusal(await heddle(['attach', '10.2.1.1/16', 'web'], nowhere), 4, '/nowhere/docker.sock');
    expectRefusal(
      await heddle(['--local', 'attach', '10.2.1.1/16', 'web'], nowhere),
      4,
      '/nowhere/docker.sock',
    );
    expectRefusal(await heddle(['ps'], { env: { DOCKER_HOST: 'gopher://x' } }), 2, 'DOCKER_HOST');
  });

  test('a daemon waits for a missing Docker engine, and logs it', async () => {
    await using daemon = await startDaemon([], { DOCKER_HOST: 'unix:///nowhere/docker.sock' });
    await eventually(() => expect(daemon.output).toContain('/nowhere/docker.sock'));
    expect(daemon.log.map(({ msg }) => msg)).toContain('Docker does not answer; retrying until it does');
    expect(daemon.output).not.toContain('lost the stream');
    expect(await daemon.stop()).toBe(0);
  });

  test('without capabilities nothing is made, and the missing capability is named', async () => {
    await using container = await runContainer();
    const powerless = (...args: string[]) =>
      runProgram('setpriv', ['--bounding-set=-all', '--inh-caps=-all', HEDDLE, ...args]);
    expectRefusal(await powerless('create-bridge'), 1, /root|NET_ADMIN/);
    expectRefusal(await powerless('--local', 'attach', '10.2.1.1/16', container.name), 1, /root|CAP_|_ADMIN/);
    expect(await leftOnHost()).toEqual([]);
  });

  test('a device of another kind under the name of the bridge is left alone', async () => {
    await succeed('ip', ['link', 'add', 'weave', 'type', 'veth', 'peer', 'name', 'weave-peer']);
    expectRefusal(await heddle(['create-bridge']), 1, 'weave is not a bridge', 'veth');
    expect(await succeed('ip', ['-d', 'link', 'show', 'weave'])).toContain('veth');
  });

  test('a port 53 in use is logged, everything else goes on, and the port is taken once it is free', async () => {
    const [address = ''] =
      / inet ([\d.]+)\//.exec(await succeed('ip', ['-o', '-4', 'address', 'show', 'docker0']))?.slice(1) ??
      [];
    const other = createSocket('udp4').bind(53, address);
    await once(other, 'listening');
    await using daemon = await startDaemon();
    const why = `cannot answer DNS on ${address}:53: another program has that port`;
    expect((await daemon.command('status', 'dns')).stdout).toContain(why);
    expect((await daemon.command('doctor')).stdout).toContain(why);
    expectRefusal(await daemon.command('dns-args'), 1, why);
    expectRefusal(await daemon.command('run', '--with-dns', '10.2.1.1/16', 'busybox', 'true'), 1, why);
    await using _web = await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=web']);
    await eventually(async () =>
      expect(dataOf(await daemon.dig('web.service.consul'))).toEqual(['10.2.1.1']),
    );
    other.close();
    const there = { server: address, port: 53 };
    await eventually(async () => {
      expect(dataOf(await daemon.dig('web.service.consul', there))).toEqual(['10.2.1.1']);
    });
    expect((await daemon.command('dns-args')).stdout).toContain(`--dns ${address}`);
    expect(daemon.log.filter(({ level, msg }) => level >= 50 && msg.startsWith(why))).toHaveLength(1);
  });

  test.each([
    [['--registry', 'etcd://x'], /registry/],
    [['--dns-listen', '1.2.3.4:99999'], /dns-listen/],
    [['--address', 'nonsense'], /address/],
    [['--forward', 'consul=10.0.0.2'], /^heddle: --forward: `consul` cannot be forwarded/],
    [['--mtu', 'big'], /mtu/],
    [['--config', '/nowhere/heddle.yml'], /nowhere\/heddle\.yml/],
  ])('an invalid setting ends the daemon at its start: %s', async (flags, reason) => {
    expectRefusal(await heddle(['daemon', ...flags], { timeout: 10_000 }), 2, reason);
  });
});
