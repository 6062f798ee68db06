import { expect, test } from 'vitest';
import { dataOf } from '../support/dig.ts';
import { eventually } from '../support/eventually.ts';
import { scenario } from '../support/scenario.ts';

const { daemon } = scenario({ flags: ['--datacenter', 'dc1'] });

const web = ['-e', 'SERVICE_NAME=web', '--expose', '80', '-h', 'front.weave.local'];

test('explain takes a name, an address or a container, and names the zone that answers', async () => {
  await using one = await daemon.run(['10.2.1.1/16'], web);
  const block = `container ${one.name} (${one.id.slice(0, 12)})\n  10.2.1.1: ethwe has 10.2.1.1/16\n`;
  for (const [subject, line, more] of [
    [
      'web',
      'web.service.consul, zone service (services, nodes and addresses): 10.2.1.1\n',
      'service web: answers',
    ],
    ['front.weave.local', 'front.weave.local, zone weave (names of containers): 10.2.1.1\n', block],
    ['front', 'front, zone weave (names of containers): 10.2.1.1\n', block],
    ['10.2.1.1', '1.1.2.10.in-addr.arpa, zone reverse (names of addresses): front.weave.local\n', block],
    [one.name, `${one.name}, zone weave (names of containers): 10.2.1.1\n`, block],
    [one.id, block, '  services  web\n'],
    ['localhost', 'localhost, zone special-use', '127.0.0.1, ::1\n'],
  ] as const) {
    await eventually(async () => {
      const { status, stdout } = await daemon.command('explain', subject);
      expect([subject, status, stdout]).toEqual([subject, 0, expect.stringContaining(line)]);
      expect(stdout).toContain(more);
    });
  }
});

test('explain agrees with DNS on another datacenter and on unknown names, with status 3', async () => {
  await using _one = await daemon.run(['10.2.1.1/16'], web);
  for (const name of [
    'web.service.dc2.consul',
    'db.query.consul',
    'nope.weave.local',
    'nope.service.consul',
  ]) {
    const { status, stdout } = await daemon.command('explain', name);
    expect([name, status, (await daemon.dig(name)).status]).toEqual([name, 3, 'NXDOMAIN']);
    expect(stdout).toContain(`${name}, zone `);
    expect(stdout).toContain(': NXDOMAIN');
    expect(stdout).not.toContain('10.2.1.1');
  }
});

test('a container name that is no DNS label is reported in ps and in the log; localhost stays local', async () => {
  const long = 'x'.repeat(64);
  await using one = await daemon.run(['10.2.1.2/16'], ['--name', long]);
  await eventually(async () => {
    const { stdout } = await daemon.command('ps', one.id);
    expect(stdout).toContain(
      `the container name ${long} is not a valid DNS name: a label has at most 63 characters`,
    );
  });
  expect(daemon.log.some(({ msg }) => msg.includes('is not a valid DNS name'))).toBe(true);
  await using _other = await daemon.run(['10.2.1.3/16'], ['-h', 'localhost']);
  for (const name of ['localhost', 'web.localhost']) {
    expect(dataOf(await daemon.dig(name))).toEqual(['127.0.0.1']);
    expect(dataOf(await daemon.dig(name, { type: 'AAAA' }))).toEqual(['::1']);
  }
});
