import { describe, expect, test } from 'vitest';
import { leftOnHost } from '../support/cleanup.ts';
import { dataOf } from '../support/dig.ts';
import { containerIds, docker, runContainer, startEngine, stopEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { heddle } from '../support/heddle.ts';
import { succeed } from '../support/program.ts';
import { scenario } from '../support/scenario.ts';

const { daemon } = scenario({ flags: ['--ipalloc-range', '10.40.0.0/16'] });

/** The addresses on its ethwe: `10.40.0.1/16`. */
async function ethwe(container: string): Promise<readonly string[]> {
  const lines = await docker('exec', container, 'ip', '-o', '-4', 'address', 'show', 'ethwe');
  return [...lines.matchAll(/inet (\S+)/g)].map(([, cidr = '']) => cidr);
}

/** Those that send multicast by ethwe. */
async function withMulticast(...containers: readonly { readonly id: string }[]): Promise<readonly boolean[]> {
  const routes = await Promise.all(containers.map(({ id }) => docker('exec', id, 'ip', 'route')));
  return routes.map((lines) => /^224\.0\.0\.0\/4 dev ethwe/m.test(lines));
}

/** The address of this host on the network, and how many rules masquerade for it. */
async function exposed(): Promise<readonly [string | undefined, number]> {
  const line = await succeed('ip', ['-o', '-4', 'address', 'show', 'weave']);
  const rules = (await leftOnHost()).filter((trace) => trace.startsWith('iptables -A POSTROUTING'));
  return [/inet (\S+)/.exec(line)?.[1], rules.length];
}

describe('automatic addresses', () => {
  test('every container gets its own, and keeps it over restarts of container, daemon and engine', async () => {
    await using web = await daemon.run(['--no-multicast-route'], ['-e', 'SERVICE_NAME=web']);
    await using db = await daemon.run(['net:default']);
    await using labelled = await runContainer(['--label', 'heddle.cidr=net:10.40.7.0/24']);
    const all = async () => [await ethwe(web.id), await ethwe(db.id), await ethwe(labelled.id)];
    const given = [['10.40.0.1/16'], ['10.40.0.2/16'], ['10.40.7.1/24']];
    await eventually(async () => expect(await all()).toEqual(given));
    await eventually(async () =>
      expect(dataOf(await daemon.dig('web.service.dc1.consul'))).toEqual(['10.40.0.1']),
    );
    await docker('restart', '-t', '0', db.id, labelled.id, web.id);
    await eventually(async () => expect(await all()).toEqual(given));
    expect(await withMulticast(web, db)).toEqual([false, true]);
    await docker('stop', '-t', '0', web.id);
    await daemon.restart();
    await using other = await daemon.run([]);
    expect(await ethwe(other.id)).toEqual(['10.40.0.3/16']);
    await docker('start', web.id);
    await eventually(async () => expect(await all()).toEqual(given));
    expect(await withMulticast(web, db)).toEqual([false, true]);
  });

  test('WEAVE_CIDR is read from the environment and from labels, and `none` means no address', async () => {
    await using spaces = await runContainer(['-e', 'WEAVE_CIDR=10.2.1.1/16 ip:10.3.1.1/24 net:10.40.7.0/24']);
    await using commas = await runContainer(['--label', 'WEAVE_CIDR=net:default,10.2.1.2/16']);
    await using none = await runContainer(['-e', 'WEAVE_CIDR=none']);
    await using wrong = await runContainer(['-e', 'WEAVE_CIDR=10.2.1.3/16 net:10.2.0.300/24']);
    const has = async (container: { id: string }) => (await ethwe(container.id)).join(' ');
    await eventually(async () => expect(await has(spaces)).toBe('10.2.1.1/16 10.3.1.1/24 10.40.7.1/24'));
    await eventually(async () => expect(await has(commas)).toBe('10.40.0.1/16 10.2.1.2/16'));
    await eventually(async () =>
      expect((await daemon.command('ps', wrong.name)).stdout).toMatch(/WEAVE_CIDR: .*10\.2\.0\.300/),
    );
    for (const { id } of [none, wrong]) await expect(ethwe(id)).rejects.toThrow(/ethwe/);
  });

  test('the address of a removed container is free at once', async () => {
    const web = await daemon.run([]);
    expect(await ethwe(web.id)).toEqual(['10.40.0.1/16']);
    await docker('rm', '-f', web.id);
    await using next = await daemon.run(['10.40.0.1/16']);
    expect(await ethwe(next.id)).toEqual(['10.40.0.1/16']);
    await docker('rm', '-f', next.id);
    await using free = await daemon.run([]);
    expect(await ethwe(free.id)).toEqual(['10.40.0.1/16']);
  });

  test('containers that share a network get and lose an address together, whichever of them is named', async () => {
    await using web = await daemon.run(['--no-multicast-route', '10.2.1.1/16']);
    await using sidecar = await runContainer([`--net=container:${web.name}`]);
    expect((await daemon.command('attach', '10.2.1.9/16', sidecar.name)).stdout).toBe('10.2.1.9\n');
    expect(await ethwe(web.id)).toEqual(['10.2.1.1/16', '10.2.1.9/16']);
    expect(await withMulticast(web, sidecar)).toEqual([false, false]);
    expect((await daemon.command('detach', '10.2.1.1/16', sidecar.name)).stdout).toBe('10.2.1.1\n');
    expect(await ethwe(web.id)).toEqual(['10.2.1.9/16']);
    expect((await daemon.command('detach', '10.2.1.9/16', web.name)).stdout).toBe('10.2.1.9\n');
    await daemon.restart(); // it has looked at everything again
    await expect(ethwe(sidecar.id)).rejects.toThrow();
    await using next = await daemon.run(['10.2.1.1/16', '10.2.1.9/16']);
    expect(await ethwe(next.id)).toEqual(['10.2.1.1/16', '10.2.1.9/16']);
  });

  test('attach and detach print the addresses they assigned and released, the same when repeated', async () => {
    await using web = await runContainer();
    const attach = (...flags: string[]) =>
      daemon.command('attach', ...flags, 'net:10.40.9.0/24', 'ip:10.2.1.1/16', web.name);
    for (const [flags, multicast] of [
      [[], true],
      [['--no-multicast-route'], false],
      [[], false],
    ] as const) {
      expect(await attach(...flags)).toEqual({ status: 0, stdout: '10.40.9.1 10.2.1.1\n', stderr: '' });
      expect(await withMulticast(web)).toEqual([multicast]);
    }
    expect((await daemon.command('detach', 'net:10.40.9.0/24', web.name)).stdout).toBe('10.40.9.1\n');
    expect(await ethwe(web.id)).toEqual(['10.2.1.1/16']);
    await docker('stop', '-t', '0', web.id);
    expect(await daemon.command('detach', '10.2.1.1/16', web.name)).toMatchObject({
      status: 0,
      stdout: '10.2.1.1\n',
    });
    await using next = await daemon.run(['10.2.1.1/16']);
    expect(await ethwe(next.id)).toEqual(['10.2.1.1/16']);
  });

  test('an address in use is refused, with its owner, before anything is started', async () => {
    await using web = await daemon.run(['10.2.1.1/16']);
    await using other = await runContainer();
    const before = await containerIds();
    const refusals = [
      await daemon.command('run', '10.2.1.1/16', 'busybox', 'sleep', '60'),
      await daemon.command('run', 'net:10.40.5.0/24', '10.2.1.1/24', 'busybox', 'sleep', '60'),
      await daemon.command('attach', '10.2.1.1/16', other.name),
    ];
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({ status: 1, stdout: '' });
      expect(refusal.stderr).toMatch(new RegExp(`^heddle: 10\\.2\\.1\\.1/\\d+ belongs to .*'${web.name}'`));
    }
    expect((await daemon.command('run', 'net:10.2.0.0/16', 'busybox', 'true')).stderr).toMatch(
      /outside the range/,
    );
    expect(await containerIds()).toEqual(before);
    await using rival = await runContainer([
      '--label',
      'heddle.cidr=10.2.1.1/16',
      '-e',
      'SERVICE_NAME=rival',
    ]);
    await eventually(async () => {
      const { stdout } = await daemon.command('ps', rival.name);
      expect(stdout).toMatch(new RegExp(`not announced: 10\\.2\\.1\\.1/16 belongs to .*'${web.name}'`));
    });
    expect(dataOf(await daemon.dig('rival.service.dc1.consul'))).toEqual([]);
    await docker('rm', '-f', web.id);
    await eventually(async () => expect(await ethwe(rival.id)).toEqual(['10.2.1.1/16']));
  });

  test('after a restart of the host every container has its old address', async () => {
    await using daily = await daemon.run(['10.2.1.1/16'], ['--restart', 'always']);
    await using first = await daemon.run(['--no-multicast-route'], ['--restart', 'always']);
    await using second = await daemon.run(['net:10.40.8.0/24'], ['--restart', 'always']);
    const all = async () => [await ethwe(daily.id), await ethwe(first.id), await ethwe(second.id)];
    const given = [['10.2.1.1/16'], ['10.40.0.1/16'], ['10.40.8.1/24']];
    expect(await all()).toEqual(given);
    await daemon.command('expose', '10.2.0.1/16');
    expect(await exposed()).toEqual(['10.2.0.1/16', 3]);
    // A restart of the host takes processes, devices and rules.
    await daemon.kill();
    await stopEngine();
    // The state is on disk, and stays.
    const elsewhere = { HEDDLE_STATE_DIR: `${daemon.stateFolder}-of-nobody` };
    await heddle(['--local', 'reset', '--force'], { env: elsewhere });
    expect(await succeed('ip', ['-o', 'link', 'show'])).not.toContain('weave');
    expect((await leftOnHost()).filter((trace) => trace.includes('heddle'))).toEqual([]);
    await daemon.start();
    await startEngine();
    await eventually(async () => expect(await all()).toEqual(given));
    expect(await withMulticast(first, second)).toEqual([false, true]);
    await eventually(async () => expect(await exposed()).toEqual(['10.2.0.1/16', 3]));
    await daemon.command('hide', '10.2.0.1/16');
    await using other = await daemon.run([]);
    expect(await ethwe(other.id)).toEqual(['10.40.0.2/16']);
  });

  test('a full subnet is reported', async () => {
    await using one = await daemon.run(['net:10.40.6.0/30']);
    await using two = await daemon.run(['net:10.40.6.0/30']);
    expect([await ethwe(one.id), await ethwe(two.id)]).toEqual([['10.40.6.1/30'], ['10.40.6.2/30']]);
    const refused = await daemon.command('run', 'net:10.40.6.0/30', 'busybox', 'sleep', '60');
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^heddle: every address of 10\.40\.6\.0\/30 is taken/);
  });

  test('with --local, without a daemon, addresses in use and reserved addresses are not assigned', async () => {
    await using web = await daemon.run([]);
    await using stopped = await daemon.run([]);
    await docker('stop', '-t', '0', stopped.id);
    await using other = await runContainer();
    await daemon.stop();
    const own = { env: { HEDDLE_STATE_DIR: daemon.stateFolder } };
    const local = (...args: string[]) => heddle(['--local', '--ipalloc-range', '10.40.0.0/16', ...args], own);
    for (const flag of [['--no-multicast-route'], []]) {
      expect(await local('attach', ...flag, other.name)).toMatchObject({ status: 0, stdout: '10.40.0.3\n' });
    }
    expect(await withMulticast(other)).toEqual([false]);
    expect((await local('attach', '10.40.0.1/16', other.name)).stderr).toContain(`'${web.name}'`);
    expect((await local('attach', '10.40.0.2/16', other.name)).stderr).toContain(`'${stopped.name}'`);
    await daemon.start();
    await using next = await daemon.run([]);
    expect(await ethwe(next.id)).toEqual(['10.40.0.4/16']);
    await docker('restart', '-t', '0', other.id);
    await eventually(async () => expect(await ethwe(other.id)).toEqual(['10.40.0.3/16']));
    await docker('start', stopped.id);
    await eventually(async () => expect(await ethwe(stopped.id)).toEqual(['10.40.0.2/16']));
  });
});
