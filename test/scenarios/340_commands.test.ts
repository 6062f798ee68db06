import { dirname } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { type Container, docker } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { HEDDLE, heddle } from '../support/heddle.ts';
import { succeed } from '../support/program.ts';
import { scenario } from '../support/scenario.ts';

const { daemon } = scenario({
  flags: ['--mtu', '1400'],
  env: { CONSUL_HTTP_TOKEN: 'hush-hush' },
  keepContainers: true,
});
let web: Container;
beforeAll(async () => {
  web = await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=web', '--expose', '80']);
  await daemon.command('expose');
});

test('status ipam lists the owner of each address', async () => {
  const { stdout } = await daemon.command('status', 'ipam');
  expect(stdout).toMatch(/IPAM: range 10\.32\.0\.0\/12, 2 addresses of 2 owners/);
  expect(stdout).toMatch(/^10\.32\.0\.1\/12 +weave:expose/m);
  expect(stdout).toMatch(new RegExp(`^10\\.2\\.1\\.1/16 +${web.id.slice(0, 12)} +${web.name} +running`, 'm'));
  await docker('stop', '-t', '0', web.id);
  await eventually(async () =>
    expect((await daemon.command('status', 'ipam')).stdout).toMatch(/10\.2\.1\.1.* kept/),
  );
  await docker('start', web.id);
});

test.each([
  ['dns', /DNS: 127\.0\.0\.1:5353 listening, UDP in batches/],
  ['docker', /Docker: unix:.*following/],
  ['network', /Network: bridge weave, 10\.32\.0\.1\/12/],
  ['registry', /Registry: embedded/],
  ['services', /^web +10\.2\.1\.1:80/m],
])('status %s prints only that part, also as JSON', async (part, line) => {
  await eventually(async () => expect((await daemon.command('status', part)).stdout).toMatch(line));
  expect((await daemon.command('status', part)).stdout).not.toContain('Heddle:');
  expect(JSON.parse((await daemon.command('status', part, '--format', 'json')).stdout)).toBeTruthy();
  expect((await daemon.command('status', 'nonsense')).status).toBe(2);
});

test('report is all of it as JSON', async () => {
  const report = JSON.parse((await daemon.command('report')).stdout);
  expect(report).toMatchObject({
    daemon: { pid: expect.any(Number) },
    ipam: { range: '10.32.0.0/12' },
    attachments: [{ owner: 'weave:expose' }, { owner: web.id, mac: '0a:58:0a:02:01:01' }],
  });
  expect(report.details).toHaveLength(1);
  expect(JSON.stringify(report)).not.toContain('hush');
});

test("settings prints the daemon's settings with the source of each, and no secret", async () => {
  const { stdout } = await daemon.command('settings');
  expect(stdout).toMatch(/^mtu +1400 +--mtu$/m);
  expect(stdout).toMatch(/^consul-token +\(hidden\) +CONSUL_HTTP_TOKEN$/m);
  expect(stdout).toMatch(/^bridge +weave +default$/m);
  expect(stdout).not.toContain('hush');
});

test('report -f prints one part of it', async () => {
  expect((await daemon.command('report', '-f', '{{.ipam.range}}')).stdout).toBe('10.32.0.0/12\n');
  const owners = '{{range .attachments}}{{.owner}} {{end}}';
  expect((await daemon.command('report', '-f', owners)).stdout).toBe(`weave:expose ${web.id} \n`);
  expect((await daemon.command('report', '-f', '{{.DNS.Domain}}')).stdout).toBe('weave.local.\n');
  const dns = JSON.parse((await daemon.command('report', '-f', '{{json .DNS}}')).stdout);
  expect(dns).toMatchObject({ Domain: 'weave.local.', Address: '172.17.0.1:53', TTL: 1 });
  expect(dns.Entries).toContainEqual({
    Hostname: `${web.name}.weave.local.`,
    ContainerID: web.id,
    Address: '10.2.1.1',
    Tombstone: 0,
  });
  const { status, stderr } = await daemon.command('report', '-f', '{{.nosuch}}');
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: expect.stringMatching(/no field nosuch; the fields are version, daemon, .*DNS, IPAM\n$/),
  });
});

test('every command with output has JSON output, too', async () => {
  const json = async (...args: string[]) => {
    const { status, stdout, stderr } = await daemon.command(...args, '--format', 'json');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return JSON.parse(stdout) as unknown;
  };
  const given = { container: web.name, addresses: ['10.2.1.9/16'] };
  expect(await json('attach', '10.2.1.9/16', web.name)).toEqual(given);
  expect(await json('detach', '10.2.1.9/16', web.name)).toEqual(given);
  const own = { container: web.name, addresses: ['10.2.1.1/16'] };
  expect(await json('start', web.name)).toEqual(own);
  expect(await json('restart', web.name)).toEqual(own);
  expect(await json('expose', '10.3.0.1/16', '-h', 'gate')).toEqual({
    addresses: ['10.3.0.1/16'],
    name: 'gate',
  });
  expect(await json('dns-lookup', 'gate')).toEqual({ name: 'gate', answers: ['10.3.0.1'] });
  expect(await json('hide', '10.3.0.1/16')).toEqual({ addresses: ['10.3.0.1/16'] });
  expect(await json('dns-add', '10.9.9.9', '-h', 'printer')).toEqual({ ips: ['10.9.9.9'], name: 'printer' });
  expect(await json('dns-remove', '10.9.9.9', '-h', 'printer')).toEqual({
    ips: ['10.9.9.9'],
    name: 'printer',
  });
  expect(await json('docker-bridge-ip')).toEqual({ address: '172.17.0.1' });
  expect(await json('create-bridge')).toEqual({ bridge: 'weave' });
  expect(await json('setup')).toMatchObject({ container: { name: 'heddle', state: 'is not there' } });
  const dns = await daemon.command('dns-args', '--format', 'json', '-h', 'x', '--dns-search=.', 'busybox');
  expect(JSON.parse(dns.stdout)).toEqual({ args: ['--dns', '172.17.0.1'] });
  const run = await daemon.command(
    'run',
    '--format',
    'json',
    '10.2.1.8/16',
    '-h',
    'x',
    'busybox',
    'sleep',
    '9',
  );
  const { container } = JSON.parse(run.stdout) as { container: string };
  expect(await docker('inspect', '-f', '{{.Config.Hostname}}', container)).toBe('x');
  await docker('rm', '-f', container);
});

test('hide removes the name set by expose, and keeps the name set by dns-add', async () => {
  const lookUp = async (name: string) => (await daemon.command('dns-lookup', name)).stdout;
  await daemon.command('expose', '10.3.0.1/16', '-h', 'gate.weave.local');
  await daemon.command('dns-add', '10.3.0.1', '-h', 'mine');
  expect([await lookUp('gate'), await lookUp('mine')]).toEqual(['10.3.0.1\n', '10.3.0.1\n']);
  expect(await daemon.command('dns-remove', '10.3.0.1', '-h', 'gate')).toMatchObject({ status: 3 });
  await daemon.restart();
  expect(await lookUp('gate')).toBe('10.3.0.1\n');
  await daemon.command('hide', '10.3.0.1/16');
  expect([await lookUp('gate'), await lookUp('mine')]).toEqual(['', '10.3.0.1\n']);
  await daemon.command('dns-remove', '10.3.0.1', '-h', 'mine');
  const refused = await daemon.command('expose', '10.3.0.1/16', '-h', 'gate.example.com');
  expect(refused).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/no name below/) });
  expect(await succeed('ip', ['-o', 'address', 'show', 'weave'])).not.toContain('10.3.0.1');
});

test("ps has this host's own addresses in its first line, as the script had", async () => {
  expect((await daemon.command('ps')).stdout.split('\n')[1]).toMatch(/^weave:expose +- +10\.32\.0\.1\/12 /);
  expect(await daemon.command('ps', 'weave:expose')).toMatchObject({ status: 0, stderr: '' });
});

test('doctor checks every part, asks port 53 from inside a container, and advises', async () => {
  const asked = async () => {
    const { status, stdout } = await daemon.command('doctor');
    return {
      status,
      of: (subject: string) => stdout.split('\n').find((line) => line.includes(`  ${subject}  `)),
      stdout,
    };
  };
  const { status, of, stdout } = await asked();
  expect(status, stdout).toBe(0);
  for (const subject of [
    'docker',
    'capabilities',
    'kernel',
    'firewall',
    'bridge',
    'registry',
    'clock',
    'port 53',
  ]) {
    expect(of(subject)).toMatch(/^ok /);
  }
  expect(of('port 53')).toContain(`answers inside '${web.name}'`);
  const block = ['INPUT', '-i', 'docker0', '-p', 'udp', '--dport', '53', '-j', 'DROP'];
  await succeed('iptables', ['-w', '-I', ...block]);
  try {
    const blocked = await asked();
    expect(blocked.status).toBe(1);
    expect(blocked.of('port 53')).toMatch(/^failed .*does not answer inside/);
    expect(blocked.stdout).toMatch(/→ .*firewall/);
  } finally {
    await succeed('iptables', ['-w', '-D', ...block]);
  }
  const nowhere = { env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' } };
  const without = await heddle(['--local', 'doctor', '--format', 'json'], nowhere);
  expect(without.status).toBe(1);
  expect(JSON.parse(without.stdout)).toContainEqual(
    expect.objectContaining({
      subject: 'docker',
      state: 'failed',
      advice: expect.stringContaining('DOCKER_HOST'),
    }),
  );
});

test("the script's variables in the environment keep their meaning", async () => {
  const asked = async (line: string, env: Readonly<Record<string, string>>) =>
    (await heddle(line.split(' '), { env: { HEDDLE_SOCKET: daemon.socket, ...env } })).stdout;
  expect(await asked('setup', { WEAVE_CONTAINER_NAME: 'loom' })).toMatch(/^container: loom is not there$/m);
  expect(await asked('--local docker-bridge-ip', { DOCKER_BRIDGE: 'weave' })).toBe('10.32.0.1\n');
  expect(await asked('--local settings', { WEAVE_MTU: '1300' })).toMatch(/^mtu +1300 +WEAVE_MTU$/m);
});

test("the script's commands work under the name weave", async () => {
  const typed = `alias weave=heddle\nweave expose 10.3.0.1/16\nweave ps weave:expose | grep -c 10.3.0.1\nweave hide 10.3.0.1/16`;
  const env = { PATH: `${dirname(HEDDLE)}:${process.env.PATH}`, HEDDLE_SOCKET: daemon.socket };
  expect(await succeed('sh', ['-ec', typed], { env })).toBe('10.3.0.1\n1\n10.3.0.1');
});

test('stop reports that a daemon not started by launch keeps running', async () => {
  expect(await daemon.command('stop')).toMatchObject({
    status: 1,
    stdout: '',
    stderr: expect.stringMatching(
      new RegExp(
        `no container 'heddle' is running\n.* ${daemon.socket}, process ${daemon.pid}, continues: it was not started by launch`,
      ),
    ),
  });
  expect((await heddle(['stop'])).status).toBe(0);
});

test('setup reports what is installed, and fetches nothing', async () => {
  const { status, stdout } = await heddle(['setup']);
  expect(status).toBe(0);
  expect(stdout).toMatch(
    /^engine: Docker .*\nimage: heddle:.* is (not )?there.*\ncontainer: heddle is not there\n$/,
  );
});

test('what needs several hosts is refused, and a password above all', async () => {
  for (const args of [
    ['connect', '10.0.0.2'],
    ['forget', '10.0.0.2'],
  ]) {
    const { status, stdout, stderr } = await daemon.command(...args);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^heddle: .*several hosts.*\n$/);
  }
  const giving = ['attach web', 'start web', 'restart web', 'expose', 'create-bridge', 'run busybox'];
  for (const line of ['daemon', 'launch', ...giving]) {
    const { status, stderr } = await heddle(line.split(' '), {
      env: { WEAVE_PASSWORD: 'hush-hush' },
      timeout: 10_000,
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^heddle: WEAVE_PASSWORD .*not supported yet/);
    expect(stderr).not.toContain('hush');
  }
});
