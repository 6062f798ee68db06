import { afterAll, expect, test } from 'vitest';
import { dataOf } from '../support/dig.ts';
import { removeContainers, runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { startDaemon } from '../support/heddle.ts';
import { succeed } from '../support/program.ts';
import { scenario } from '../support/scenario.ts';

const { daemon } = scenario({ keepContainers: true });
afterAll(async () => {
  await removeContainers();
  await daemon.command('reset');
});

const answered = async (name: string) => dataOf(await daemon.dig(`${name}.weave.local`)).toSorted();

test('an address that a container gives itself is neither answered nor reserved', async () => {
  await using own = await daemon.run(['10.2.1.1/16'], ['--cap-add', 'NET_ADMIN']);
  await own.exec('ip', 'address', 'add', '10.2.1.9/16', 'dev', 'ethwe');
  const said = expect.stringMatching(/10\.2\.1\.9\/16 on ethwe was not granted/);
  await eventually(async () => expect((await daemon.command('ps', own.name)).stdout).toEqual(said));
  expect(await answered(own.name)).toEqual(['10.2.1.1']);

  await using other = await daemon.run(['10.2.1.9/16']);
  await eventually(async () => expect(await answered(other.name)).toEqual(['10.2.1.9']));

  // The same after a restart of the daemon, and on an interface that a container makes itself.
  await daemon.restart();
  await eventually(async () => expect((await daemon.command('ps', own.name)).stdout).toEqual(said));
  expect(await answered(own.name)).toEqual(['10.2.1.1']);
  await using forger = await runContainer(['--cap-add', 'NET_ADMIN']);
  await forger.exec('ip', 'link', 'add', 'ethwe', 'type', 'veth', 'peer', 'name', 'forged');
  await forger.exec('ip', 'address', 'add', '10.2.1.8/16', 'dev', 'ethwe');
  await forger.exec('ip', 'link', 'set', 'ethwe', 'up');
  await eventually(async () =>
    expect((await daemon.command('ps', forger.name)).stdout).toContain(
      '10.2.1.8/16 on ethwe was not granted',
    ),
  );
  expect(await answered(forger.name)).not.toContain('10.2.1.8');
  expect(await daemon.command('attach', '10.2.1.8/16', other.name)).toMatchObject({ status: 0 });
  // An address on another interface of a container is not reserved either.
  await own.exec('ip', 'address', 'add', '10.2.1.7/16', 'dev', 'eth0');
  await eventually(async () => expect((await daemon.command('ps', own.name)).stdout).toContain('10.2.1.7'));
  expect(await daemon.command('attach', '10.2.1.7/16', other.name)).toMatchObject({ status: 0 });
});

test('an address set by the weave script counts', async () => {
  await daemon.command('create-bridge');
  await using web = await runContainer(['--cap-add', 'NET_ADMIN']);
  const pid = `${await web.pid()}`;
  const peer = ['peer', 'name', 'ethwe', 'netns', pid];
  await succeed('ip', ['link', 'add', 'vethwepl9', 'master', 'weave', 'up', 'type', 'veth', ...peer]);
  await web.exec('ip', 'address', 'add', '10.2.3.1/16', 'dev', 'ethwe');
  await web.exec('ip', 'link', 'set', 'ethwe', 'up');
  await eventually(async () => expect(await answered(web.name)).toEqual(['10.2.3.1']));
  expect((await daemon.command('attach', '10.2.3.1/16', web.name)).status).toBe(0);
  await using other = await runContainer();
  expect((await daemon.command('attach', '10.2.3.1/16', other.name)).stderr).toContain(`'${web.name}'`);
});

/** The shell stays the parent of the daemon, as `nsenter` does. */
const WITHOUT_CAPABILITIES = ['sh', '-c', 'setpriv --bounding-set=-all --inh-caps=-all "$@"; exit $?', 'sh'];

test('a daemon without capabilities announces the address that another program has assigned', async () => {
  await daemon.command('create-bridge');
  await daemon.stop();
  try {
    await using powerless = await startDaemon([], {}, WITHOUT_CAPABILITIES);
    await using late = await runContainer(['-e', 'SERVICE_NAME=late', '--expose', '80']);
    const pid = `${await late.pid()}`;
    const peer = ['peer', 'name', 'ethwe', 'netns', pid];
    await succeed('ip', ['link', 'add', 'vethwepl8', 'master', 'weave', 'up', 'type', 'veth', ...peer]);
    const inside = (...args: string[]) => succeed('nsenter', ['-t', pid, '-n', 'ip', ...args]);
    await inside('address', 'add', '10.2.3.2/16', 'dev', 'ethwe');
    await inside('link', 'set', 'ethwe', 'up');
    process.kill(powerless.pid, 'SIGHUP');
    await eventually(async () =>
      expect(dataOf(await powerless.dig('late.service.consul'))).toEqual(['10.2.3.2']),
    );
    expect((await powerless.command('ps', late.name)).stdout).toContain('10.2.3.2/16');
  } finally {
    await daemon.start();
  }
});
