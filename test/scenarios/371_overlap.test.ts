import { afterAll, beforeAll, expect, test } from 'vitest';
import { containerIds, runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { HEDDLE } from '../support/heddle.ts';
import { runProgram, succeed } from '../support/program.ts';
import { scenario } from '../support/scenario.ts';

beforeAll(async () => {
  // A company's network behind this host's own card.
  await succeed('ip', ['link', 'add', 'office', 'type', 'bridge']);
  await succeed('ip', ['address', 'add', '192.168.77.1/24', 'dev', 'office']);
  await succeed('ip', ['link', 'set', 'office', 'up']);
});
afterAll(() => succeed('ip', ['link', 'delete', 'office']));
const { daemon } = scenario();
afterAll(() => daemon.command('reset'));

const route = (action: 'add' | 'delete', network: string) =>
  succeed('ip', ['route', action, network, 'via', '192.168.77.2', 'dev', 'office']);
const eth0 = async (id: string) => {
  const { stdout } = await runProgram('docker', ['exec', id, 'ip', '-o', '-4', 'address', 'show', 'ethwe']);
  return stdout;
};

test("the host's own addresses and networks are refused, and their device is named", async () => {
  await using web = await runContainer(['--name', 'web']);
  for (const [address, whose] of [
    ['172.17.0.1/16', /172\.17\.0\.1\/16 belongs to this host, on docker0/],
    ['192.168.77.1/24', /192\.168\.77\.1\/24 belongs to this host, on office/],
    ['172.17.9.9/16', /overlaps 172\.17\.\S+\/16 on the container's other interface eth0/],
    ['192.168.77.9/24', /overlaps the network 192\.168\.77\.0\/24 of office on this host/],
    ['192.168.1.9/16', /overlaps the network 192\.168\.77\.0\/24 of office on this host/],
  ] as const) {
    const refused = await daemon.command('attach', address, web.name);
    expect(refused).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(whose) });
    expect(await eth0(web.id)).toBe('');
  }
  // An address of the host is always refused; one in its network can be forced.
  const insist = (address: string) => daemon.command('attach', '--allow-overlap', address, web.name);
  expect(await insist('172.17.0.1/16')).toMatchObject({ status: 1 });
  expect(await insist('192.168.77.9/24')).toMatchObject({ status: 0, stdout: '192.168.77.9\n' });
  // The same when the container requests it by label.
  await using asking = await runContainer(['--label', 'heddle.cidr=172.17.0.1/16']);
  await eventually(async () =>
    expect((await daemon.command('ps', asking.name)).stdout).toContain('belongs to this host, on docker0'),
  );
  expect(await eth0(asking.id)).toBe('');
});

test('a range that overlaps a route of the host is refused, with the route', async () => {
  await route('add', '10.0.0.0/8');
  try {
    const why = /overlaps the route of this host to 10\.0\.0\.0\/8 by office.*--allow-overlap/;
    const refusal = { status: 1, stdout: '', stderr: expect.stringMatching(why) };
    expect(await daemon.command('run', 'busybox', 'sleep', '60')).toMatchObject(refusal);
    expect(await daemon.command('run', '10.2.1.1/16', 'busybox', 'sleep', '60')).toMatchObject(refusal);
    expect(await daemon.command('expose')).toMatchObject(refusal);
    expect(await containerIds()).toEqual([]);
    expect((await daemon.command('doctor')).stdout).toMatch(
      /networks .*10\.32\.0\.0\/12 overlaps .*10\.0\.0\.0\/8/,
    );

    const insisting = await daemon.command('run', '--allow-overlap', '--init', 'busybox', 'sleep', '60');
    expect(insisting).toMatchObject({ status: 0 });
    expect(await eth0(insisting.stdout.trim())).toContain('inet 10.32.0.1/12');

    const chosen = ['daemon', '--ipalloc-range', '10.2.0.0/16', '--socket', '/tmp/heddle-371.sock'];
    const env = { HEDDLE_STATE_DIR: `${daemon.stateFolder}-of-another` };
    const another = await runProgram(HEDDLE, chosen, { env });
    expect(another).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/--ipalloc-range: .*10\.0\.0\.0\/8/),
    });
  } finally {
    await route('delete', '10.0.0.0/8');
  }
  expect(await daemon.command('expose')).toMatchObject({ status: 0 });
});

test.each([
  ['127.0.0.0/8', /loopback/],
  ['169.254.0.0/16', /link-local/],
  ['240.0.0.0/4', /prefix shorter than|reserved/],
  ['0.0.0.0/0', /prefix shorter than/],
])('the range %s is refused at the start', async (range, why) => {
  const { status, stderr } = await runProgram(HEDDLE, ['daemon', '--ipalloc-range', range], {
    timeout: 20_000,
  });
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(why) });
});

test.each(['10.2.1.1/0', '10.2.1.1/1', '10.2.1.1/7', '169.254.169.254/16'])(
  '%s is refused',
  async (address) => {
    await using web = await runContainer();
    const refused = await daemon.command('attach', address, web.name);
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining(address) });
  },
);
