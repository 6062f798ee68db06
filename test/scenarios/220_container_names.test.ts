import { describe, expect, test } from 'vitest';
import { reverseName } from '../../src/dns/lookup.ts';
import { count } from '../support/counts.ts';
import { type DigOptions, dataOf } from '../support/dig.ts';
import { docker, removeContainers } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { heddle, startDaemon } from '../support/heddle.ts';
import { scenario } from '../support/scenario.ts';

const { daemon } = scenario({ flags: ['--datacenter', 'dc1'] });

/** Addresses in order, whatever order they came in. */
const found = async (name: string, options?: DigOptions) => dataOf(await daemon.dig(name, options)).sort();
const nameOf = async (ip: string) => dataOf(await daemon.dig(reverseName(ip), { type: 'PTR' }));
const isFound = (name: string, ...ips: string[]) =>
  eventually(async () => expect(await found(name)).toEqual(ips));

async function command(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await daemon.command(...args);
  if (status !== 0) throw new Error(`heddle ${args.join(' ')} ended with status ${status}: ${stderr}`);
  return stdout;
}

test('a container is found by its name and its hostname, with the domain and without it, until it ends (weave#200, weave#230, weave#270)', async () => {
  await using web = await daemon.run(['10.2.1.1/16'], ['-h', 'seetwo.weave.local']);
  await isFound('seetwo.weave.local', '10.2.1.1');
  for (const name of [`${web.name}.weave.local`, web.name, 'seetwo', 'SeeTwo.WEAVE.local']) {
    const reply = await daemon.dig(name);
    expect(reply.answers).toMatchObject([{ name: `${name}.`, ttl: 1, type: 'A', data: '10.2.1.1' }]);
    expect(reply.flags).toEqual(expect.arrayContaining(['qr', 'aa', 'rd', 'ra']));
  }
  await web.kill();
  for (const name of [`${web.name}.weave.local`, 'seetwo']) {
    await eventually(async () => expect((await daemon.dig(name)).status).toBe('NXDOMAIN'));
  }
});

test('an unknown name is NXDOMAIN, a single label too; a missing record type is empty (weave#250)', async () => {
  await using web = await daemon.run(['10.2.1.1/16']);
  await isFound(web.name, '10.2.1.1');
  for (const name of ['nope.weave.local', 'nope']) {
    expect(await daemon.dig(name)).toMatchObject({ status: 'NXDOMAIN', answers: [] });
  }
  for (const type of ['MX', 'AAAA', 'TXT']) {
    const empty = await daemon.dig(`${web.name}.weave.local`, { type });
    expect(empty).toMatchObject({ status: 'NOERROR', answers: [], authority: [{ type: 'SOA' }] });
  }
});

test('an address resolves to the name set for it, otherwise to its service’s (weave#200, weave#265)', async () => {
  await daemon.run(['10.2.1.1/16'], ['-h', 'see.weave.local', '-e', 'SERVICE_NAME=web']);
  await daemon.run(['10.2.1.2/16'], ['-e', 'SERVICE_NAME=web']);
  const ignored = await daemon.run(['10.2.1.3/16'], ['-e', 'SERVICE_IGNORE=1']);
  await isFound(ignored.name, '10.2.1.3');
  expect(await nameOf('10.2.1.1')).toEqual(['see.weave.local.']);
  expect(await nameOf('10.2.1.2')).toEqual(['web.service.dc1.consul.']);
  expect(await nameOf('10.2.1.3')).toEqual([`${ignored.name}.weave.local.`]);
  await ignored.kill();
  await eventually(async () => expect(await nameOf('10.2.1.3')).toEqual([]));
});

test('several containers with one name are killed and started repeatedly (weave#210, weave#260, weave#310)', async () => {
  await using _one = await daemon.run(['10.2.1.1/16'], ['-h', 'web.weave.local']);
  await using two = await daemon.run(['10.2.1.2/16'], ['-h', 'web.weave.local']);
  for (let round = 0; round < count(2, 5); round += 1) {
    await isFound('web.weave.local', '10.2.1.1', '10.2.1.2');
    await two.kill();
    await isFound('web.weave.local', '10.2.1.1');
    await docker('start', two.id);
  }
  await isFound('web.weave.local', '10.2.1.1', '10.2.1.2');
});

test('names from a Docker network and from compose resolve to the address on the weave network', async () => {
  await docker('network', 'create', 'app');
  try {
    const flags = ['--network', 'app', '--network-alias', 'db', '--network-alias', 'main.db'];
    await daemon.run(['10.2.1.1/16'], [...flags, '--label', 'com.docker.compose.service=store']);
    for (const name of ['db.weave.local', 'main.db.weave.local', 'store.weave.local']) {
      await isFound(name, '10.2.1.1');
    }
  } finally {
    await removeContainers();
    await docker('network', 'rm', 'app');
  }
});

test('a container finds another one by its bare name, and keeps its --add-host entries (weave#200, weave#230)', async () => {
  await using web = await daemon.run(['10.2.1.1/16']);
  await using client = await daemon.run(['--with-dns', '10.2.1.2/16'], ['--add-host', 'extra:192.0.2.9']);
  await eventually(async () => expect(await client.exec('nslookup', web.name)).toContain('10.2.1.1'));
  expect(await client.exec('cat', '/etc/hosts')).toMatch(/^192\.0\.2\.9\s+extra$/m);
});

test('fifty addresses are truncated over UDP, and complete over TCP or with a larger buffer (weave#295)', async () => {
  const ips = Array.from({ length: 50 }, (_, index) => `10.2.9.${index}`);
  await command('dns-add', ...ips, '-h', 'big');
  expect(await found('big.weave.local', { tcp: true })).toEqual(ips.toSorted());
  expect(await found('big.weave.local', { args: ['+bufsize=4096'] })).toEqual(ips.toSorted());
  const cut = await daemon.dig('big.weave.local', { args: ['+bufsize=700', '+ignore'] });
  expect(cut.flags).toContain('tc');
  expect(cut.answers.length).toBeGreaterThan(35);
  await command('dns-remove', ...ips, '-h', 'big');
});

describe('dns-add, dns-remove and dns-lookup (weave#240)', () => {
  test('name a container, with its own addresses or others, until it ends', async () => {
    const web = await daemon.run(['10.2.1.1/16']);
    await command('dns-add', web.name, '-h', 'front');
    expect(await found('front.weave.local')).toEqual(['10.2.1.1']);
    await command('dns-add', '10.2.7.7', web.id, '-h', 'back.weave.local');
    expect(await found('back')).toEqual(['10.2.7.7']);
    expect(await command('dns-lookup', 'front')).toBe('10.2.1.1\n');
    expect(await command('dns-lookup', '10.2.7.7')).toBe('back.weave.local\n');
    await command('dns-remove', web.name, '-h', 'front');
    expect(await found('front.weave.local')).toEqual([]);
    await web.kill();
    await isFound('back.weave.local');
  });

  test('name addresses without a container, and survive the daemon (weave#255)', async () => {
    const web = await daemon.run(['10.2.1.1/16']);
    await command('dns-add', '192.0.2.7', '2001:db8::7', '-h', 'printer');
    await command('dns-add', web.name, '-h', 'front');
    await daemon.restart();
    expect(await found('printer.weave.local')).toEqual(['192.0.2.7']);
    expect(await found('printer.weave.local', { type: 'AAAA' })).toEqual(['2001:db8::7']);
    expect(await found('front.weave.local')).toEqual(['10.2.1.1']);
    await command('dns-remove', '192.0.2.7', '2001:db8::7', '-h', 'printer');
    await daemon.restart();
    expect(await found('printer.weave.local')).toEqual([]);
  });

  test('--local asks the resolver on the bridge, and explains that only a daemon keeps names', async () => {
    const web = await daemon.run(['10.2.1.1/16']);
    await isFound(web.name, '10.2.1.1');
    expect(await heddle(['--local', 'dns-lookup', web.name])).toMatchObject({
      status: 0,
      stdout: '10.2.1.1\n',
    });
    const { status, stderr } = await heddle(['--local', 'dns-add', '10.2.1.1', '-h', 'front']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^heddle: dns-add needs a daemon: start one .*omit --local\n$/);
  });

  test.each([
    [2, 'is no name below weave.local', ['dns-add', '10.2.1.1', '-h', 'web.example.com']],
    [2, 'is no name below weave.local', ['dns-add', '10.2.1.1', '-h', 'x'.repeat(64)]],
    [2, 'expected a container, or addresses and a name', ['dns-add', '10.2.1.1']],
    [3, 'no such container: nobody', ['dns-add', 'nobody', '-h', 'web']],
    [3, 'no answer for nope', ['dns-lookup', 'nope']],
    [2, 'is neither a name nor an address', ['dns-lookup', 'a..b']],
  ])('status %i: %s', async (status, sentence, args) => {
    const outcome = await daemon.command(...args);
    expect([outcome.status, outcome.stdout]).toEqual([status, '']);
    expect(outcome.stderr).toContain(sentence);
  });
});

test('another domain, with or without its final dot (weave#220)', async () => {
  await daemon.stop();
  await using other = await startDaemon(['--weave-domain', 'Foo.Bar.']);
  const web = await other.run(['10.2.1.1/16'], ['-h', 'web.foo.bar']);
  await eventually(async () => {
    expect(dataOf(await other.dig('web.foo.bar'))).toEqual(['10.2.1.1']);
    expect(dataOf(await other.dig(`${web.name}.foo.bar`))).toEqual(['10.2.1.1']);
  });
  expect((await other.dig('web.weave.local')).status).not.toBe('NOERROR');
});
