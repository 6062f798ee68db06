import { beforeAll, expect, test } from 'vitest';
import { runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { heddle } from '../support/heddle.ts';
import { runProgram, succeed } from '../support/program.ts';
import { scenario } from '../support/scenario.ts';

/** A world has no default route, like a host without an uplink, so the address at which others reach it is unknown. */
beforeAll(async () => expect((await runProgram('ip', ['route', 'show', 'default'])).stdout).toBe(''));
const { daemon } = scenario({ flags: ['--address', 'ethwe,published'] });

const says = (name: string) => ['-e', `SERVICE_NAME=${name}`];

test.each([
  ['a published port', 'pub', ['-p', '18080:80']],
  ['a port published at 0.0.0.0', 'any', ['-p', '0.0.0.0:18081:80']],
  ['a port published at [::]', 'six', ['-p', '[::]:18082:80']],
  ["the host's network", 'net', ['--net=host', '--expose', '80']],
])(
  'without a default route %s is not announced, and ps names the missing setting',
  async (_, name, flags) => {
    await using web = await runContainer([...flags, ...says(name), '--name', name]);
    await eventually(async () => {
      const { stdout } = await daemon.command('ps', '--format', 'json');
      expect(stdout).toContain(web.id.slice(0, 12));
      expect(stdout).toContain("the host's address is unknown: give --ip");
    });
    expect((await daemon.dig(`${name}.service.consul`)).answers).toEqual([]);
  },
);

test('SERVICE_ADDRESS=0.0.0.0 is refused and reported', async () => {
  await using web = await daemon.run(['10.2.1.1/16'], [...says('zero'), '-e', 'SERVICE_ADDRESS=0.0.0.0']);
  await eventually(async () =>
    expect((await daemon.dig('zero.service.consul')).answers).toMatchObject([{ data: '10.2.1.1' }]),
  );
  const dry = await daemon.command('services', '--dry-run', web.name);
  expect(dry.stdout).toMatch(/SERVICE_ADDRESS "0\.0\.0\.0" is refused/);
});

test('doctor reports it, and --ip or a default route fixes it', async () => {
  const ofHost = async () => {
    const { stdout } = await heddle(['--local', 'doctor', '--format', 'json']);
    const findings = JSON.parse(stdout) as { subject: string; state: string; advice: string }[];
    return findings.find(({ subject }) => subject === 'host address');
  };
  expect(await ofHost()).toMatchObject({ state: 'warning', advice: expect.stringContaining('--ip') });
  await succeed('ip', ['link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'up1']);
  try {
    await succeed('ip', ['address', 'add', '192.168.77.2/24', 'dev', 'up0']);
    await succeed('ip', ['link', 'set', 'up0', 'up']);
    await succeed('ip', ['route', 'add', 'default', 'via', '192.168.77.1']);
    expect(await ofHost()).toMatchObject({ state: 'ok', detail: expect.stringContaining('192.168.77.2') });
    expect((await heddle(['--ip', '0.0.0.0', 'ps'])).stderr).toContain('means every address');
  } finally {
    await succeed('ip', ['link', 'delete', 'up0']);
  }
});
