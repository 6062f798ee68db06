import { afterEach, describe, expect, test } from 'vitest';
import { leftOnHost } from '../support/cleanup.ts';
import { docker, ethwe, removeContainers, runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { heddle } from '../support/heddle.ts';
import { startNamespace } from '../support/namespaces.ts';
import { succeed } from '../support/program.ts';
import { scenario } from '../support/scenario.ts';

const { daemon } = scenario({ keepContainers: true });
afterEach(async () => {
  await removeContainers();
  await daemon.command('reset');
});

const httpd = ['sh', '-c', 'echo hello > /var/www/index.html; exec httpd -f -p 80 -h /var/www'];
const fetchFrom = (url: string, seconds = 3) => ['timeout', `${seconds}`, 'wget', '-q', '-O', '-', url];
const natRules = async () =>
  (await leftOnHost()).filter((trace) => trace.startsWith('iptables -A POSTROUTING'));

describe('the host on the network', () => {
  test('an exposed host reaches containers, and other machines reach them through it (weave#200)', async () => {
    await using web = await daemon.run(['10.2.1.1/16'], ['--net=none'], httpd);
    expect(await daemon.command('expose', '10.2.0.1/16', '-h', 'gateway.weave.local')).toEqual({
      status: 0,
      stdout: '10.2.0.1\n',
      stderr: '',
    });
    expect((await daemon.command('dns-lookup', 'gateway')).stdout).toBe('10.2.0.1\n');
    await eventually(async () =>
      expect(await succeed('busybox', fetchFrom('http://10.2.1.1').slice(2).with(0, 'wget'))).toBe('hello'),
    );
    expect(await web.exec('ping', '-c', '1', '-W', '2', '10.2.0.1')).toContain('1 packets received');
    // The container has no route back to this client: it answers because the client is masqueraded.
    const outsider = await startNamespace();
    const [, , pid = ''] = outsider.nsPath.split('/');
    await succeed('ip', ['link', 'add', 'outside', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pid]);
    await succeed('ip', ['address', 'add', '192.168.77.1/24', 'dev', 'outside']);
    await succeed('ip', ['link', 'set', 'outside', 'up']);
    await outsider.run('ip', 'address', 'add', '192.168.77.2/24', 'dev', 'eth0');
    await outsider.run('ip', 'link', 'set', 'eth0', 'up');
    await outsider.run('ip', 'route', 'add', 'default', 'via', '192.168.77.1');
    const asked = (seconds: number) => outsider.run('busybox', ...fetchFrom('http://10.2.1.1', seconds));
    await succeed('iptables', ['-w', '-I', 'FORWARD', '-o', 'weave', '-j', 'ACCEPT']);
    await succeed('iptables', ['-w', '-I', 'FORWARD', '-i', 'weave', '-j', 'ACCEPT']);
    try {
      expect((await asked(3)).trim()).toBe('hello');
      await daemon.command('hide', '10.2.0.1/16');
      await succeed('ip', ['address', 'add', '10.2.0.1/16', 'dev', 'weave']);
      await expect(asked(1)).rejects.toThrow();
    } finally {
      await outsider.end();
      await succeed('iptables', ['-w', '-D', 'FORWARD', '-o', 'weave', '-j', 'ACCEPT']);
      await succeed('iptables', ['-w', '-D', 'FORWARD', '-i', 'weave', '-j', 'ACCEPT']);
    }
  });

  test('an expose that the kernel refuses in part leaves nothing behind', async () => {
    await daemon.command('expose', '10.2.0.1/16');
    await succeed('sysctl', ['-qw', 'net.ipv6.conf.weave.disable_ipv6=1']);
    const both = ['10.2.0.1/16', '10.3.0.1/16', 'fd00:2::1/64'];
    expect(await daemon.command('expose', '-h', 'gate', ...both)).toMatchObject({ status: 1, stdout: '' });
    const bridge = await succeed('ip', ['-o', '-4', 'address', 'show', 'weave']);
    expect(Array.from(bridge.matchAll(/inet (\S+)/g), ([, cidr]) => cidr)).toEqual(['10.2.0.1/16']);
    expect((await natRules()).filter((rule) => !rule.includes('10.2.0.0/16'))).toEqual([]);
    expect((await daemon.command('dns-lookup', 'gate')).stdout).toBe('');
  });

  test('expose twice equals once; it survives a restart and a flush, and hide removes all of it', async () => {
    for (let times = 0; times < 2; times++)
      expect((await daemon.command('expose')).stdout).toBe('10.32.0.1\n');
    expect(await natRules()).toHaveLength(3);
    await daemon.restart();
    const asked = async () => (await leftOnHost()).filter((trace) => trace.startsWith('iptables -A INPUT'));
    const resolver = await asked();
    expect(resolver.length).toBeGreaterThan(0);
    await succeed('iptables', ['-w', '-t', 'nat', '-F', 'POSTROUTING']);
    await succeed('iptables', ['-w', '-F', 'INPUT']);
    process.kill(daemon.pid, 'SIGHUP'); // or it is seen within 10 s
    await eventually(async () => {
      expect(await asked()).toEqual(resolver);
      expect(await natRules()).toHaveLength(3);
    });
    await using web = await daemon.run([]);
    expect(await ethwe(web.id)).toContain('inet 10.32.0.2/12');
    expect((await daemon.command('attach', '10.32.0.1/12', web.id)).stderr).toMatch(
      /belongs to the bridge weave/,
    );
    expect((await daemon.command('expose', '10.32.0.2/12')).stderr).toContain(`'${web.name}'`);
    const exposed = { status: 0, stdout: '10.32.0.1\n', stderr: '' };
    expect(await daemon.command('expose', '--without-masquerade')).toEqual(exposed);
    expect(await natRules()).toEqual([]);
    // As left by a process that is killed halfway.
    const rule = ['-s', '10.32.0.0/12', '!', '-d', '10.32.0.0/12', '-m', 'comment', '--comment', 'heddle'];
    await succeed('iptables', ['-w', '-t', 'nat', '-I', 'POSTROUTING', ...rule, '-j', 'MASQUERADE']);
    expect(await natRules()).toHaveLength(1);
    process.kill(daemon.pid, 'SIGHUP');
    await eventually(async () => expect(await natRules()).toEqual([]), { within: 5_000 });
    expect(await daemon.command('expose')).toEqual(exposed);
    expect(await natRules()).toHaveLength(3);
    for (const gone of ['10.32.0.1\n', ''])
      expect(await daemon.command('hide')).toEqual({ status: 0, stdout: gone, stderr: '' });
    expect(await natRules()).toEqual([]);
    expect(await succeed('ip', ['-o', '-4', 'address', 'show', 'weave'])).toBe('');
  });

  test('a deleted bridge is made again, with its containers and exposed addresses', async () => {
    await using web = await daemon.run(['10.2.1.1/16']);
    await using db = await daemon.run(['10.2.1.2/16']);
    await daemon.command('expose', '10.2.0.1/16');
    const reaches = (ip: string) => web.exec('ping', '-c', '1', '-W', '1', ip);
    const recovers = () =>
      eventually(async () => expect([await reaches('10.2.1.2'), await reaches('10.2.0.1')]).toHaveLength(2), {
        within: 15_000,
      });
    await recovers();
    await succeed('ip', ['link', 'delete', 'weave']);
    await expect(reaches('10.2.1.2')).rejects.toThrow();
    process.kill(daemon.pid, 'SIGHUP');
    await recovers();
    await daemon.stop();
    await succeed('ip', ['link', 'delete', 'weave']);
    await daemon.start();
    await recovers();
    expect(await ethwe(db.id)).toContain('inet 10.2.1.2/16');
  });

  test("ps --format weave prints the weave script's own format", async () => {
    await daemon.command('expose', '10.2.0.1/16');
    await using web = await daemon.run(['10.2.1.1/16', '10.3.1.1/24']);
    await using plain = await runContainer();
    const lines = async (...args: string[]) =>
      (await daemon.command('ps', '--format', 'weave', ...args)).stdout.split('\n');
    const short = web.id.slice(0, 12);
    expect(await lines()).toEqual([
      expect.stringMatching(/^weave:expose 0a:5a(:[0-9a-f]{2}){4} 10\.2\.0\.1\/16$/),
      `${short} 0a:58:0a:02:01:01 10.2.1.1/16 10.3.1.1/24`,
      '',
    ]);
    expect(await lines(web.name, plain.name)).toEqual([expect.stringMatching(`^${short} `), '']);
    expect((await lines('weave:expose'))[0]).toMatch(/^weave:expose /);
  });

  test('start assigns addresses, and restart restores them', async () => {
    const id = await docker('create', '--init', '--name', 'created', 'busybox', 'sleep', '3600');
    const started = await daemon.command('start', '10.2.1.1/16', 'net:default', 'created');
    expect(started).toEqual({ status: 0, stdout: 'created\n', stderr: '' });
    const has = async () => [...(await ethwe(id)).matchAll(/inet (\S+)/g)].map(([, cidr]) => cidr);
    expect(await has()).toEqual(['10.2.1.1/16', '10.32.0.1/12']);
    expect(await daemon.command('restart', id)).toEqual({ status: 0, stdout: `${id}\n`, stderr: '' });
    expect(await has()).toEqual(['10.2.1.1/16', '10.32.0.1/12']);
    await docker('stop', '-t', '0', id);
    expect((await daemon.command('start', id)).status).toBe(0);
    expect(await has()).toEqual(['10.2.1.1/16', '10.32.0.1/12']);
    const other = await docker('create', '--init', 'busybox', 'sleep', '3600');
    expect((await daemon.command('start', '10.2.1.1/16', other)).stderr).toMatch(
      /belongs to container 'created'/,
    );
    expect(await docker('inspect', '--format', '{{.State.Running}}', other)).toBe('false');
    expect((await daemon.command('start', 'nosuch')).status).toBe(3);
    expect((await daemon.command('restart', 'nosuch')).status).toBe(3);
  });

  test('reset leaves nothing of ours on the host, and keeps the containers', async () => {
    await daemon.command('expose');
    await using web = await daemon.run(['10.2.1.1/16']);
    await succeed('ip', ['link', 'delete', 'weave']); // pairs are left that belong to no bridge
    expect(await daemon.command('reset')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(await leftOnHost()).toEqual([]);
    await expect(ethwe(web.id)).rejects.toThrow();
    await using next = await daemon.run(['10.2.1.1/16']);
    expect(await ethwe(next.id)).toContain('10.2.1.1/16');
    expect((await daemon.command('ps', '--format', 'weave')).stdout).not.toContain('weave:expose');
  });

  test("docker-bridge-ip is the address of Docker's bridge", async () => {
    const { stdout } = await daemon.command('docker-bridge-ip');
    expect(await succeed('ip', ['-o', 'address', 'show', 'docker0'])).toContain(`inet ${stdout.trim()}/`);
  });

  test('with --local the same commands work without a daemon (weave#510)', async () => {
    await daemon.stop();
    const elsewhere = { env: { HEDDLE_STATE_DIR: `${daemon.stateFolder}-of-nobody` } };
    const local = (...args: string[]) => heddle(['--local', ...args], elsewhere);
    await using web = await runContainer();
    for (const [flags, rules] of [
      [['--without-masquerade'], 0],
      [[], 3],
    ] as const) {
      expect((await local('expose', ...flags, '10.2.0.1/16')).stdout).toBe('10.2.0.1\n');
      expect(await natRules()).toHaveLength(rules);
    }
    expect((await local('attach', '10.2.1.1/16', web.id)).status).toBe(0);
    expect((await local('restart', web.id)).stdout).toBe(`${web.id}\n`);
    expect(await ethwe(web.id)).toContain('10.2.1.1/16');
    expect((await local('ps', '--format', 'weave')).stdout.split('\n')).toHaveLength(3);
    expect((await local('hide', '10.2.0.1/16')).stdout).toBe('10.2.0.1\n');
    expect(await natRules()).toEqual([]);
    const nothingKept = expect.stringMatching(/^heddle: no daemon has saved claims in .*\n$/);
    expect(await local('reset')).toEqual({ status: 0, stdout: '', stderr: nothingKept });
    expect(await leftOnHost()).toEqual([]);
    await daemon.start();
  });

  test('with --local start assigns the requested addresses, and refuses invalid ones', async () => {
    await daemon.stop();
    const start = (...args: string[]) => heddle(['--local', 'start', ...args, '--format', 'json']);
    const created = (label: string) =>
      docker('create', '--init', '--label', `WEAVE_CIDR=${label}`, 'busybox', 'sleep', '3600');
    const web = await created('10.2.1.5/16,net:10.32.5.0/24');
    const given = ['10.2.1.5/16', '10.32.5.1/24'];
    expect(JSON.parse((await start(web)).stdout)).toEqual({ container: web, addresses: given });
    const wrong = await created('10.2.0.300/16');
    expect(await start(wrong)).toMatchObject({ status: 1, stderr: expect.stringContaining('10.2.0.300') });
    expect(await docker('inspect', '-f', '{{.State.Running}}', wrong)).toBe('false');
    expect(JSON.parse((await start('10.2.1.6/16', wrong)).stdout)).toMatchObject({
      addresses: ['10.2.1.6/16'],
    });
    await daemon.start();
  });

  test('with --local several processes at once find an address for each container', async () => {
    await daemon.stop();
    const ids = await Promise.all(Array.from({ length: 4 }, async () => (await runContainer()).id));
    const given = await Promise.all(ids.map((id) => heddle(['--local', 'attach', 'net:10.32.7.0/24', id])));
    const addresses = given.map(({ stdout }) => stdout.trim()).sort();
    expect(addresses).toEqual(['10.32.7.1', '10.32.7.2', '10.32.7.3', '10.32.7.4']);
    await daemon.start();
  });

  test('after a reset without a daemon the next daemon restores nothing; with a running daemon it is refused', async () => {
    const own = { env: { HEDDLE_SOCKET: daemon.socket, HEDDLE_STATE_DIR: daemon.stateFolder } };
    const reset = () => heddle(['--local', 'reset'], own);
    await using web = await daemon.run(['10.2.1.1/16']);
    await daemon.command('expose', '10.2.0.1/16', '-h', 'gate');
    expect(await reset()).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/would restore every address/),
    });
    await daemon.stop();
    await using labelled = await runContainer(['--label', 'heddle.cidr=10.2.1.2/16']);
    expect(await reset()).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(await leftOnHost()).toEqual([]);
    await daemon.start();
    expect((await daemon.command('status', 'ipam')).stdout).toContain('0 addresses of 0 owners');
    expect((await daemon.command('dns-lookup', 'gate')).stdout).toBe('');
    for (const { id } of [web, labelled]) await expect(ethwe(id)).rejects.toThrow();
  });
});
