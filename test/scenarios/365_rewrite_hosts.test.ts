import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Container, docker, runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { heddle } from '../support/heddle.ts';
import { scenario } from '../support/scenario.ts';

const { daemon } = scenario();

const hosts = (container: Container): Promise<string> => container.exec('cat', '/etc/hosts');
/** As the C library in the container resolves it; the addresses must answer pings. */
const resolved = async (container: Container, name: string): Promise<string | undefined> =>
  /\((.*?)\)/.exec(await container.exec('ping', '-c', '1', name))?.[1];

test("a container's own name is its address on the network, over its restarts, until it is detached", async () => {
  await using web = await runContainer(['-h', 'web.example.org', '--add-host', 'ours:127.0.0.7']);
  const before = await hosts(web);
  const added = ['--add-host', 'db:127.0.0.9', '--add-host=cache:fd00::9'];
  const attached = await daemon.command('attach', '--rewrite-hosts', ...added, '10.2.1.1/16', web.name);
  expect(attached).toEqual({ status: 0, stdout: '10.2.1.1\n', stderr: '' });
  const answers = () =>
    Promise.all(['web', 'web.example.org', 'db', 'ours', 'localhost'].map((name) => resolved(web, name)));
  const rewritten = ['10.2.1.1', '10.2.1.1', '127.0.0.9', '127.0.0.7', '127.0.0.1'];
  expect(await answers()).toEqual(rewritten);
  expect(await hosts(web)).toContain('\nfd00::9 cache\n');

  await docker('restart', '-t', '0', web.id);
  await eventually(async () => expect(await answers()).toEqual(rewritten));
  expect((await daemon.command('attach', '10.2.1.2/16', web.id)).status).toBe(0);
  expect(await hosts(web)).toContain('\n10.2.1.1 web.example.org web\n10.2.1.2 web.example.org web\n');

  expect((await daemon.command('detach', '10.2.1.1/16', web.id)).status).toBe(0);
  expect(await web.exec('hostname', '-i')).toBe('10.2.1.2');
  expect((await daemon.command('detach', '10.2.1.2/16', web.id)).status).toBe(0);
  expect(await hosts(web)).toBe(before);
});

test('run takes --rewrite-hosts, too; without a daemon the file is written once', async () => {
  await using web = await daemon.run(['--rewrite-hosts', '10.2.1.1/16'], ['-h', 'web']);
  expect(await web.exec('hostname', '-i')).toBe('10.2.1.1');
  await using db = await runContainer(['-h', 'db']);
  const before = await hosts(db);
  expect((await heddle(['--local', 'attach', '--rewrite-hosts', '10.2.1.2/16', db.id])).status).toBe(0);
  expect(await db.exec('hostname', '-i')).toBe('10.2.1.2');
  expect((await heddle(['--local', 'detach', '10.2.1.2/16', db.id])).status).toBe(0);
  expect(await hosts(db)).toBe(before);
});

test('an unsafe hosts file is refused before anything is changed, and no file of the host is written', async () => {
  const victim = join(daemon.stateFolder, 'victim');
  await writeFile(victim, 'untouched\n');
  const plant = `umount /etc/hosts; rm /etc/hosts; ln -s ${victim} /etc/hosts; sleep 3600`;
  await using hostile = await runContainer(['--cap-add', 'SYS_ADMIN'], ['sh', '-c', plant]);
  await using unwritable = await runContainer(['--read-only']);
  await using web = await runContainer();
  await using sharer = await runContainer([`--net=container:${web.id}`]);
  await eventually(async () => expect(await hostile.exec('readlink', '/etc/hosts')).toBe(victim));
  for (const [container, why] of [
    [hostile, /not a regular file/],
    [unwritable, /--read-only/],
    [sharer, /name that container/],
  ] as const) {
    expect(await daemon.command('attach', '--rewrite-hosts', '10.2.1.1/16', container.id)).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(why),
    });
    expect(await container.exec('ip', 'link')).not.toContain('ethwe');
  }
  expect((await daemon.command('status', 'ipam')).stdout).not.toContain('10.2.1.1');
  expect(await readFile(victim, 'utf8')).toBe('untouched\n');
});
