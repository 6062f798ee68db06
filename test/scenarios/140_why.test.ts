import { expect, test } from 'vitest';
import { ConsulAgent } from '../support/consul.ts';
import { docker, runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { heddle } from '../support/heddle.ts';
import { scenario } from '../support/scenario.ts';

const consul = new ConsulAgent();
const { daemon } = scenario({ consul, flags: ['--registry', consul.uri] });

const web = ['-e', 'SERVICE_NAME=web', '-e', 'SERVICE_TAGS=v1', '--expose', '80'];

test('services lists registrations, and --dry-run what would be registered and why, with a daemon and without', async () => {
  await using one = await daemon.run(['10.2.1.1/16'], [...web, '-e', 'SERVICE_WEIGHT=lots']);
  await eventually(async () => {
    const { status, stdout } = await daemon.command('services');
    expect(status).toBe(0);
    const line = new RegExp(`^web\\s+10\\.2\\.1\\.1\\s+80\\s+v1\\s+${one.name}\\s+registered$`, 'm');
    expect(stdout).toMatch(line);
  });
  const dry = await daemon.command('services', '--dry-run', one.name);
  expect(dry.stdout).toContain(`${one.name} (${one.id.slice(0, 12)})\n  10.2.1.1: ethwe has 10.2.1.1/16\n`);
  expect(dry.stdout).toContain('service web at 10.2.1.1, port 80');
  expect(dry.stdout).toContain('note: SERVICE_WEIGHT "lots" is refused');
  const local = await heddle(['--local', '--registry', consul.uri, 'services', '--dry-run', one.name]);
  const own = (text: string) => text.replace(/heddle:[^:]+:/g, 'heddle:HOST:');
  expect(own(local.stdout)).toBe(own(dry.stdout));
  const [json] = JSON.parse((await daemon.command('services', '--format', 'json')).stdout) as object[];
  expect(json).toMatchObject({
    name: 'web',
    address: '10.2.1.1',
    container: one.id,
    registration: 'registered',
  });
  expect(await daemon.command('services', 'nosuch')).toMatchObject({ status: 3, stdout: '' });
});

test('explain follows a name to its containers here and its instances elsewhere', async () => {
  const theirs = { ID: 'other:80', Name: 'web', Address: '10.9.9.9', Port: 80 };
  await consul.put('/v1/agent/service/register', theirs);
  await using one = await daemon.run(['10.2.1.1/16'], web);
  await using two = await daemon.run(['10.2.1.2/16'], web);
  await docker('pause', two.id);
  await eventually(async () => {
    const { status, stdout } = await daemon.command('explain', 'web.service.dc1.consul');
    expect(status).toBe(0);
    expect(stdout).toContain('service web: answers 10.2.1.1, 10.9.9.9\n');
    expect(stdout).toContain(
      `${one.name} (${one.id.slice(0, 12)}) answers\n  10.2.1.1: ethwe has 10.2.1.1/16\n`,
    );
    expect(stdout).toContain('  registry: registered\n');
    expect(stdout).toContain(
      `${two.name} (${two.id.slice(0, 12)}) does not answer: not announced: it is paused\n`,
    );
    expect(stdout).toContain('node heddle-n1, passing\n');
  });
  const tagged = await daemon.command('explain', '--format', 'json', 'v1.web');
  expect(JSON.parse(tagged.stdout)).toMatchObject({ name: 'web', tag: 'v1', answers: ['10.2.1.1'] });
  await consul.put(`/v1/agent/service/deregister/${theirs.ID}`);
});

test('explain gives the reason why a name has no answer', async () => {
  await using _outside = await runContainer(['-e', 'SERVICE_NAME=outside']);
  await eventually(async () => {
    const { status, stdout } = await daemon.command('explain', 'outside');
    expect(status).toBe(3);
    expect(stdout).toContain('does not answer: not announced: ethwe: no address on ethwe or ethwe0; ');
  });
  await using _hidden = await daemon.run(
    ['10.2.1.4/16'],
    ['-e', 'SERVICE_NAME=hidden', '-e', 'SERVICE_IGNORE=1'],
  );
  await eventually(async () => {
    const { status, stdout } = await daemon.command('explain', 'hidden');
    expect(status).toBe(3);
    expect(stdout).toContain('SERVICE_IGNORE is set');
  });
  const unknown = await daemon.command('explain', 'nowhere');
  expect(unknown.status).toBe(3);
  expect(unknown.stdout).toContain('nothing answers: no service is called nowhere');
});
