import { describe, expect, test } from 'vitest';
import { planDnsmasq, settingsFile, settingsFolder, undoDnsmasq } from '../../src/host-dns/dnsmasq.ts';
import { socketsAt } from '../../src/host-dns/dnsmasq-process.ts';
import { isOwnFile, ownFile } from '../../src/host-dns/plan.ts';
import { planPlainResolvConf, writerOf } from '../../src/host-dns/resolv-conf.ts';
import { planResolved, undoResolved } from '../../src/host-dns/systemd-resolved.ts';

const target = { address: '172.17.0.1', domains: ['consul', 'weave.local'] };
const restart = ['service', 'dnsmasq', 'restart'] as const;
/** A file of heddle without the line that marks it. */
const linesOf = (text: string | undefined) => text?.split('\n').slice(1, -1);

describe('systemd-resolved', () => {
  test("asks heddle for heddle's domains only, after a restart", () => {
    const { change, command } = planResolved(new Map(), target);
    expect(change.path).toBe('/etc/systemd/resolved.conf.d/heddle.conf');
    expect(linesOf(change.after)).toEqual(['[Resolve]', 'DNS=172.17.0.1', 'Domains=~consul ~weave.local']);
    expect(command).toEqual(['systemctl', 'restart', 'systemd-resolved']);
  });

  test.each([
    ['DNS=1.1.1.1', true],
    ['  DNS = 1.1.1.1', true],
    ['#DNS=1.1.1.1', false],
    ['DNS=', false],
    ['FallbackDNS=1.1.1.1\nDNSSEC=no', false],
  ])('with the setting %j is refused: %s', (setting, isRefused) => {
    const plan = () =>
      planResolved(new Map([['/etc/systemd/resolved.conf', `[Resolve]\n${setting}\n`]]), target);
    if (isRefused) expect(plan).toThrow('/etc/systemd/resolved.conf sets DNS= for the whole host');
    else expect(plan().change.before).toBeUndefined();
  });

  test("loses heddle's file, but no other file of that name", () => {
    expect(undoResolved(ownFile(['[Resolve]']))).toMatchObject([{ change: { after: undefined } }]);
    expect(undoResolved('[Resolve]\nDNS=1.1.1.1\n')).toEqual([]);
    expect(undoResolved(undefined)).toEqual([]);
  });
});

describe('dnsmasq', () => {
  test("asks heddle for heddle's domains, also where it rejects private addresses", () => {
    const { change, command } = planDnsmasq('/etc/dnsmasq.d/heddle.conf', undefined, target, restart);
    expect(linesOf(change.after)).toEqual([
      'server=/consul/172.17.0.1',
      'server=/weave.local/172.17.0.1',
      'rebind-domain-ok=/consul/weave.local/',
    ]);
    expect(command).toEqual(restart);
  });

  test('of NetworkManager is restarted by NetworkManager', () => {
    const path = '/etc/NetworkManager/dnsmasq.d/heddle.conf';
    expect(planDnsmasq(path, undefined, target, restart).command).toEqual([
      'nmcli',
      'general',
      'reload',
      'dns-full',
    ]);
  });

  test("without a settings folder, or with another owner's file of that name, is refused", () => {
    expect(() => planDnsmasq(undefined, undefined, target, restart)).toThrow('reads no settings folder');
    const path = '/etc/dnsmasq.d/heddle.conf';
    expect(() => planDnsmasq(path, 'server=1.1.1.1\n', target, restart)).toThrow('heddle did not create it');
    expect(undoDnsmasq(path, 'server=1.1.1.1\n', restart)).toEqual([]);
  });

  test.each([
    ['dnsmasq -u dnsmasq -7 /etc/dnsmasq.d,.dpkg-dist,.dpkg-old', '', '/etc/dnsmasq.d'],
    ['dnsmasq -7/etc/other', '', '/etc/other'],
    ['dnsmasq --no-resolv --conf-dir=/etc/NetworkManager/dnsmasq.d', '', '/etc/NetworkManager/dnsmasq.d'],
    ['dnsmasq --conf-dir /etc/other/', 'conf-dir=/etc/dnsmasq.d', '/etc/other'],
    ['dnsmasq', '#conf-dir=/etc/no\n conf-dir = /etc/dnsmasq.d/,*.conf\n', '/etc/dnsmasq.d'],
    ['dnsmasq', 'server=1.1.1.1\n', undefined],
  ])('%s with settings %j reads %s', (line, settings, folder) => {
    expect(settingsFolder(line.split(' '), settings)).toBe(folder);
  });

  test.each([
    ['dnsmasq', '/etc/dnsmasq.conf'],
    ['dnsmasq -C /etc/mine.conf', '/etc/mine.conf'],
    ['dnsmasq --conf-file=/etc/mine.conf', '/etc/mine.conf'],
  ])('%s has its settings in %s', (line, path) => {
    expect(settingsFile(line.split(' '))).toBe(path);
  });

  const head =
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
  const row = (address: string, inode: number) =>
    `  10: ${address} 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 ${inode} 2 0 0`;
  test.each([
    ['127.0.0.1', [1, 3]],
    ['127.0.0.53', [2, 3]],
    ['10.0.0.1', [3]],
    ['::1', [5]],
  ])('is found by the sockets that answer at %s', (ip, inodes) => {
    const table = [
      head,
      row('0100007F:0035', 1),
      row('3500007F:0035', 2),
      row('00000000:0035', 3),
      row('0100007F:14E9', 4),
      row('00000000000000000000000001000000:0035', 5),
      '',
    ].join('\n');
    expect(socketsAt(table, ip)).toEqual(inodes.map(String));
  });
});

describe('a plain resolv.conf', () => {
  const plain = { path: '/etc/resolv.conf', text: 'nameserver 10.0.0.2\n', isMount: false };
  test('has heddle first and keeps the other servers', () => {
    const { change, command } = planPlainResolvConf(plain, target);
    expect(change.after).toMatch(/^# .*\nnameserver 172\.17\.0\.1\n# .*\nnameserver 10\.0\.0\.2\n$/);
    expect(command).toBeUndefined();
  });

  test.each([
    [{ text: '# Generated by NetworkManager\n' }, 'NetworkManager writes it'],
    [{ text: '# Generated by dhcpcd from eth0.dhcp\n' }, 'dhcpcd writes it'],
    [{ isMount: true }, 'a mount of its own'],
    [{ path: '/run/other/resolv.conf' }, 'a link to it'],
    [{ text: 'nameserver 10.0.0.2\noptions edns0 rotate\n' }, 'options rotate'],
  ])('%o is refused', (difference, why) => {
    expect(() => planPlainResolvConf({ ...plain, ...difference }, target)).toThrow(why);
  });

  test.each([
    ['# Dynamic resolv.conf(5) file for glibc resolver(3) generated by resolvconf(8)\n', 'resolvconf'],
    ['# Generated by resolvconf\nnameserver 10.0.0.2\n', 'resolvconf'],
    ['nameserver 10.0.0.2 # generated by nobody\n', undefined],
    ['# my own\nsearch example\n', undefined],
  ])('%j is written by %s', (text, writer) => {
    expect(writerOf(text)).toBe(writer);
  });
});

test("heddle's own file is recognised by its first line", () => {
  expect(isOwnFile(ownFile(['x']))).toBe(true);
  expect(isOwnFile(`x\n${ownFile(['x'])}`)).toBe(false);
  expect(isOwnFile(undefined)).toBe(false);
});
