import { afterEach, expect, test } from 'vitest';
import { dataOf, dig } from '../support/dig.ts';
import { removeContainers } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { scenario } from '../support/scenario.ts';

const { daemon } = scenario({ keepContainers: true });
afterEach(async () => {
  await removeContainers();
  await daemon.command('reset');
});

test('expose returns once DNS answers at the new address, and dns-args --network none prints it', async () => {
  const none = ['--network', 'none', 'busybox'];
  const refused = await daemon.command('dns-args', ...none);
  expect(refused).toMatchObject({ status: 3, stdout: '' });
  expect(refused.stderr).toContain(
    'a container with --network none reaches only the bridge weave, which has no address',
  );
  for (const ip of ['10.2.0.1', '10.3.0.1', '10.4.0.1']) {
    expect(await daemon.command('expose', `${ip}/16`, '-h', `gate-${ip.split('.')[1]}`)).toMatchObject({
      status: 0,
    });
    // Asked once, without waiting.
    expect(dataOf(await dig('gate-2', { server: ip }))).toEqual(['10.2.0.1']);
  }
  expect(await daemon.command('dns-args', ...none)).toMatchObject({
    status: 0,
    stdout: '--dns 10.2.0.1 --dns-search=.\n',
  });
  await using web = await daemon.run(['10.2.1.1/16'], [...(await dnsFlags(none))]);
  expect(await web.exec('nslookup', 'gate-3.weave.local')).toContain('10.3.0.1');
});

const dnsFlags = async (args: readonly string[]): Promise<readonly string[]> => {
  const { stdout } = await daemon.command('dns-args', ...args);
  return ['--network', 'none', ...stdout.trim().split(' ')];
};

test('after reset, ps gives the reason why a labelled container stays unattached', async () => {
  await using web = await daemon.run(['10.2.1.1/16']);
  await daemon.command('reset');
  await eventually(async () => {
    const { stdout } = await daemon.command('ps', web.id);
    expect(stdout).toContain(
      `heddle.cidr requests 10.2.1.1/16, which detach or reset took away: assign it again with heddle attach 10.2.1.1/16 ${web.name}`,
    );
  });
  expect(await daemon.command('attach', '10.2.1.1/16', web.name)).toMatchObject({ status: 0 });
  expect((await daemon.command('ps', web.id)).stdout).not.toContain('asks for');
});
