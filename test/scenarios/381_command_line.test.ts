import { expect, test } from 'vitest';
import { docker, runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { heddle } from '../support/heddle.ts';
import { scenario } from '../support/scenario.ts';

const { daemon } = scenario();

const done = (stdout: string) => ({ status: 0, stdout, stderr: '' });

test('detach prints the addresses that it removed, and nothing if there were none', async () => {
  await using web = await runContainer();
  expect(await daemon.command('detach', web.name)).toEqual(done(''));
  await daemon.command('attach', '10.2.1.1/16', '10.3.1.1/24', web.name);
  expect(await daemon.command('detach', '10.2.1.1/16', '10.2.1.9/16', web.name)).toEqual(done('10.2.1.1\n'));
  expect(await daemon.command('detach', '10.2.1.1/16', web.name)).toEqual(done(''));
  await docker('stop', '-t', '0', web.id);
  const json = await daemon.command('detach', '--format', 'json', '10.3.1.1/24', '10.2.1.1/16', web.name);
  expect(JSON.parse(json.stdout)).toEqual({ container: web.name, addresses: ['10.3.1.1/24'] });
});

test('hide prints the addresses that it removed', async () => {
  await daemon.command('expose', '10.2.0.1/16');
  expect(await daemon.command('hide', '10.2.0.1/16', '10.3.0.1/16')).toEqual(done('10.2.0.1\n'));
  expect(await daemon.command('hide', '10.2.0.1/16')).toEqual(done(''));
});

test('the same without a daemon', async () => {
  await using web = await runContainer();
  const local = (...args: string[]) => heddle(['--local', ...args]);
  await daemon.stop();
  await local('attach', '10.2.1.1/16', web.name);
  expect(await local('detach', '10.2.1.1/16', '10.2.1.9/16', web.name)).toEqual(done('10.2.1.1\n'));
  await local('expose', '10.2.0.1/16');
  expect(await local('hide', '10.2.0.1/16', '10.2.0.9/16')).toEqual(done('10.2.0.1\n'));
  await daemon.start();
});

test('dns-remove of a name without dns-add is not found', async () => {
  await using web = await runContainer();
  await daemon.command('dns-add', '10.9.9.9', '10.9.9.8', '-h', 'printer');
  for (const args of [
    ['10.9.9.7', '-h', 'printer'],
    ['10.9.9.9', '-h', 'scanner'],
    [web.name],
    [web.name, '-h', 'x'],
  ]) {
    expect(await daemon.command('dns-remove', ...args)).toEqual({
      status: 3,
      stdout: '',
      stderr: expect.stringMatching(/^heddle: dns-add gave no name .*\n$/),
    });
  }
  expect(await daemon.command('dns-remove', '10.9.9.9', '-h', 'printer')).toEqual(done(''));
  expect((await daemon.command('dns-lookup', 'printer')).stdout).toBe('10.9.9.8\n');
  expect(await daemon.command('dns-remove', '10.9.9.8', '-h', 'printer')).toEqual(done(''));
});

test('ps has the announced address first, and a line for each problem below its container', async () => {
  const flags = ['--expose', '80', '-e', 'SERVICE_NAME=web', '-e', 'SERVICE_CHECK_SCRIPT=true'];
  await using web = await daemon.run(['10.2.1.1/16'], flags);
  await eventually(async () => {
    const lines = (await daemon.command('ps')).stdout.split('\n');
    const row = lines.findIndex((line) => line.includes(web.name));
    expect(lines[row]).toMatch(/ 10\.2\.1\.1\/16,172\.\S+ +web +10\.2\.1\.1: [^;]*$/);
    expect(lines[row + 1]).toMatch(/^ {2}problem: SERVICE_CHECK_SCRIPT /);
  });
});
