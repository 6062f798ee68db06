import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { type ConsulAgent, startConsul } from '../support/consul.ts';
import { dataOf } from '../support/dig.ts';
import { eventually } from '../support/eventually.ts';
import { GuestHost } from '../support/guest-host.ts';
import { type Daemon, HEDDLE, startDaemon } from '../support/heddle.ts';

const web = 'web.service.dc1.consul';
/** A name that only the host's own resolver knows, and that resolver. */
const [far, UPSTREAM] = ['far.service.example', '127.0.0.9'];

let upstream: ConsulAgent;
let guest: GuestHost;
let daemon: Daemon;

beforeAll(async () => {
  upstream = await startConsul({
    portOffset: 1000,
    dnsPort: 53,
    configuration: `domain = "example." addresses { dns = "${UPSTREAM}" }`,
  });
  await upstream.put('/v1/agent/service/register', { Name: 'far', Address: '203.0.113.5', Port: 443 });
  guest = await GuestHost.start();
  // The daemon follows the guest host's resolv.conf, as if it ran there.
  daemon = await startDaemon(['--resolv-conf', `${guest.root}/etc/resolv.conf`]);
  await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=web']);
});
afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await guest?.[Symbol.asyncDispose]();
  await upstream?.stop();
  await clearWorld();
});

/** Our names and all others resolve on the host, repeatedly: there is no forwarding loop. */
async function expectBothFound(): Promise<void> {
  await eventually(async () => {
    expect(await guest.dig(web)).toBe('10.2.1.1');
    expect(await guest.dig(far)).toBe('203.0.113.5');
  });
  expect(await guest.dig('nope.service.dc1.consul')).toBe('');
}

const hostDns = (...flags: readonly string[]) => guest.heddle('setup', '--host-dns', ...flags);

/** Sets up twice, then undoes it: names resolve in between, and these files end unchanged. */
async function expectSetUpAndTakenBack(resolver: string, paths: readonly string[]): Promise<void> {
  const before = paths.map((path) => fileOrNothing(path));
  const shown = await hostDns('--dry-run');
  expect(shown).toMatchObject({ status: 0, stderr: '' });
  expect(shown.stdout).toContain(`${resolver}: `);
  expect(paths.map(fileOrNothing)).toEqual(before);
  // Eventually, because the resolver was just started.
  await eventually(async () => expect(await guest.dig(web)).toBe(''));

  const { status, stdout, stderr } = await hostDns();
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain(shown.stdout);
  await expectBothFound();
  const again = await hostDns();
  expect(again.status).toBe(0);
  expect(again.stdout).toContain(' unchanged');
  await expectBothFound();

  expect((await hostDns('--undo', '--dry-run')).status).toBe(0);
  expect(await guest.dig(web)).toBe('10.2.1.1');
  expect((await hostDns('--undo')).stdout).toContain('the resolver of this host is restored');
  expect(paths.map(fileOrNothing)).toEqual(before);
  await eventually(async () => {
    expect(await guest.dig(web)).toBe('');
    expect(await guest.dig(far)).toBe('203.0.113.5');
  });
  const nothing = await hostDns('--undo');
  expect(nothing).toMatchObject({
    status: 0,
    stdout: 'the resolver of this host has no changes by heddle\n',
  });
}

function fileOrNothing(path: string): string | undefined {
  try {
    return guest.read(path);
  } catch {
    return undefined;
  }
}

/** Replaces resolv.conf, whatever it is, by a plain file. */
const resolvConf = (text: string) =>
  guest.sh(`rm -f /etc/resolv.conf; printf '${text.replaceAll('\n', '\\n')}' > /etc/resolv.conf`);

describe('a bare dig finds our names on a host', () => {
  test('with a plain resolv.conf, which is restored with its mode and every byte', async () => {
    await resolvConf(`# mine\nsearch example\nnameserver ${UPSTREAM}`);
    await guest.sh('chmod 640 /etc/resolv.conf; chown 65534 /etc/resolv.conf');
    const owner = () => guest.sh('stat -c "%a %u %F" /etc/resolv.conf');
    const before = await owner();
    expect(JSON.parse((await hostDns('--dry-run', '--format', 'json')).stdout)).toMatchObject({
      dryRun: true,
      changes: [{ resolver: 'resolv.conf', path: '/etc/resolv.conf', added: expect.any(Array) }],
      asks: { domains: expect.arrayContaining(['consul', 'weave.local']) },
    });
    await expectSetUpAndTakenBack('resolv.conf', ['/etc/resolv.conf']);
    expect(await owner()).toBe(before);
  });

  test('with dnsmasq', async () => {
    await guest.unpack('dnsmasq');
    // Its script for a restart only waits for the old process to end.
    await guest.sh('sed -i "s/sleep 2/sleep 0.1/" /etc/init.d/dnsmasq');
    const settings = ['listen-address=127.0.0.1', 'bind-interfaces', 'no-resolv', `server=${UPSTREAM}`];
    await guest.sh(`printf '${settings.join('\\n')}\\n' > /etc/dnsmasq.d/mine.conf`);
    await resolvConf('nameserver 127.0.0.1\n');
    await guest.sh('rm -rf /run/systemd; service dnsmasq start');
    try {
      await expectSetUpAndTakenBack('dnsmasq', ['/etc/resolv.conf', '/etc/dnsmasq.d/heddle.conf']);
    } finally {
      await guest.sh('service dnsmasq stop');
    }
  });

  test.each([
    ['resolvconf', '/etc/resolvconf/resolv.conf.d/head'],
    ['openresolv', '/etc/resolv.conf.head'],
  ])("with Debian's %s", async (name, head) => {
    // Other programs of this machine may have left hooks for it.
    await guest.sh('rm -rf /etc/resolvconf; mkdir -p /run/resolvconf/interface /run/lock');
    await guest.unpack(name);
    if (name === 'resolvconf') {
      await guest.sh('rm -f /etc/resolv.conf; ln -s ../run/resolvconf/resolv.conf /etc/resolv.conf');
      await guest.sh('resolvconf --enable-updates');
    } else await resolvConf('');
    await guest.sh(`echo nameserver ${UPSTREAM} | resolvconf -a eth0.test`);
    await expectSetUpAndTakenBack('resolvconf', ['/etc/resolv.conf', head]);
    await guest.sh('resolvconf -d eth0.test');
  });

  test('with systemd-resolved', async () => {
    await guest.unpack('systemd-resolved');
    await runResolved();
    const file = '/etc/systemd/resolved.conf.d/heddle.conf';
    try {
      await guest.sh(
        'rm -f /etc/resolv.conf; ln -s ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf',
      );
      await expectSetUpAndTakenBack('systemd-resolved', [file]);
    } finally {
      await guest.sh('kill $(cat /run/resolved.pid)');
    }
  });
});

/**
 * The real systemd-resolved with a link whose server is the upstream, as networkd leaves it. There is no systemd:
 * a stand-in replaces its restart command.
 */
async function runResolved(): Promise<void> {
  const restart = [
    '#!/bin/sh',
    '[ "$*" = "restart systemd-resolved" ] || exit 1',
    'if [ -f /run/resolved.pid ]; then',
    '  kill $(cat /run/resolved.pid); while kill -0 $(cat /run/resolved.pid); do sleep 0.05; done 2> /dev/null',
    'fi',
    '/lib/systemd/systemd-resolved > /run/resolved.log 2>&1 < /dev/null &',
    'echo $! > /run/resolved.pid',
  ];
  await guest.sh(`
    echo 'systemd-resolve:x:990:990::/:/usr/sbin/nologin' >> /etc/passwd
    echo 'systemd-resolve:x:990:' >> /etc/group
    mkdir -p /run/systemd/system /run/systemd/resolve /run/systemd/netif/links
    chown 990:990 /run/systemd/resolve
    printf '%s\\n' ${restart.map((line) => `'${line}'`).join(' ')} > /usr/bin/systemctl
    chmod +x /usr/bin/systemctl
    ip link add uplink type veth peer name uplink-peer
    ip address add 192.0.2.1/24 dev uplink
    ip link set uplink up; ip link set uplink-peer up
    printf 'ADMIN_STATE=configured\\nOPER_STATE=routable\\nDNS=${UPSTREAM}\\n' > \\
      /run/systemd/netif/links/$(cat /sys/class/net/uplink/ifindex)
    systemctl restart systemd-resolved`);
}

describe('an impossible setup is refused, and nothing is changed', () => {
  afterEach(async () => {
    await guest.sh('umount /etc/resolv.conf 2> /dev/null || true');
  });

  const own = `nameserver ${UPSTREAM}\n`;
  test.each([
    [
      'a resolv.conf that NetworkManager writes',
      `# Generated by NetworkManager\n${own}`,
      'NetworkManager writes it',
    ],
    ['servers that are asked in turn', `${own}options timeout:1 rotate\n`, 'options rotate'],
  ])('%s', async (_what, text, why) => {
    await resolvConf(text);
    const { status, stderr } = await hostDns();
    expect(status).toBe(1);
    expect(stderr).toContain(why);
    expect(guest.read('/etc/resolv.conf')).toBe(text);
  });

  test('a mounted resolv.conf, as in a container', async () => {
    await resolvConf(own);
    await guest.sh('cp /etc/resolv.conf /run/mounted; mount --bind /run/mounted /etc/resolv.conf');
    expect((await hostDns()).stderr).toContain('/etc/resolv.conf: it is a mount of its own');
    expect(guest.read('/etc/resolv.conf')).toBe(own);
  });

  test('a resolv.conf on a read-only file system', async () => {
    await resolvConf(own);
    await guest.sh('mount --bind /etc /etc; mount -o remount,bind,ro /etc');
    try {
      expect((await hostDns()).stderr).toContain('mounted read-only');
    } finally {
      await guest.sh('umount /etc');
    }
    expect(guest.read('/etc/resolv.conf')).toBe(own);
  });

  test('no resolv.conf, and a link that leads nowhere', async () => {
    await resolvConf(own);
    await eventually(async () => expect(dataOf(await daemon.dig(far))).toEqual(['203.0.113.5']));
    await guest.sh('rm -f /etc/resolv.conf');
    expect((await hostDns()).stderr).toContain('cannot read /etc/resolv.conf');
    // The daemon logs this, and keeps using the last servers it knew.
    await eventually(async () => {
      expect(dataOf(await daemon.dig(far))).toEqual(['203.0.113.5']);
      expect(daemon.output).toMatch(
        /cannot read \S+\/etc\/resolv\.conf: ENOENT.*still using the last known resolvers/,
      );
    });
    await guest.sh('ln -s nowhere /etc/resolv.conf');
    expect((await hostDns()).stderr).toContain('cannot read /etc/resolv.conf');
  });

  test('a host on which no heddle answers', async () => {
    await resolvConf(own);
    const { status, stderr } = await hostDns('--domain', 'other.test');
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/heddle does not answer names of other\.test at 172\.\S+, port 53; start/),
    ]);
    expect(guest.read('/etc/resolv.conf')).toBe(own);
  });

  test('a change that does not make our names resolve is undone', async () => {
    await resolvConf(own);
    await guest.sh('rm -f /etc/resolvconf.conf; mkdir -p /etc/resolvconf/resolv.conf.d');
    await resolvConf(`# Generated by resolvconf\n${own}`);
    // It reports success, and has changed nothing.
    await guest.sh('cp /bin/true /usr/sbin/resolvconf');
    const { status, stderr } = await hostDns();
    expect([status, stderr]).toEqual([1, expect.stringContaining('all changes were undone')]);
    expect(fileOrNothing('/etc/resolvconf/resolv.conf.d/head') ?? '').not.toContain('heddle');
  });
});

test('only root may change it, and --undo needs --host-dns', async () => {
  const args = [HEDDLE, 'setup', '--host-dns', '--undo'];
  const nobody = await guest.run('setpriv', '--reuid=65534', '--clear-groups', ...args);
  expect(nobody).toMatchObject({ status: 1, stderr: expect.stringContaining('run it as root') });
  expect(await guest.heddle('setup', '--undo')).toMatchObject({ status: 2 });
});
