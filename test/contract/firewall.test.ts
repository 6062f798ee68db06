import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  type LabNamespace,
  requirePrivateNetwork,
  startNamespace,
  TEST_BRIDGE,
} from '../support/namespaces.ts';
import { runProgram } from '../support/program.ts';

/** Each test has a host of its own, a namespace, so that no rule of a Docker engine nearby is touched. */
const PROCESS = fileURLToPath(new URL('../support/network-process.ts', import.meta.url));
let host: LabNamespace;
const running: LabNamespace[] = [];

const heddle = (...args: string[]): Promise<string> => host.run(process.execPath, PROCESS, ...args);
const tagged = async (command: string, table = 'filter'): Promise<string[]> =>
  (await host.run(command, '-t', table, '-S'))
    .split('\n')
    .filter((rule) => rule.includes('--comment heddle'));

beforeAll(requirePrivateNetwork);
beforeEach(async () => {
  host = await startNamespace();
  running.push(host);
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((namespace) => namespace.end()));
});

test('rules are made once, however often the bridge is made, for both families', async () => {
  await heddle('bridge');
  const rules = await tagged('iptables');
  expect(rules).toHaveLength(7);
  expect(rules).toContain(
    `-A FORWARD -i ${TEST_BRIDGE} -o ${TEST_BRIDGE} -m comment --comment heddle -j ACCEPT`,
  );
  expect(rules).toContain(
    '-A INPUT -i docker0 -p udp -m udp --dport 53 -m comment --comment heddle -j ACCEPT',
  );
  await heddle('bridge');
  expect(await tagged('iptables')).toEqual(rules);
  const ours = '-m comment --comment heddle -j DROP';
  const guards = [TEST_BRIDGE, 'vethwl+'].flatMap((device) => [
    `-A INPUT -i ${device} -p ipv6-icmp -m icmp6 --icmpv6-type 137 ${ours}`,
    `-A INPUT -i ${device} -p ipv6-icmp -m icmp6 --icmpv6-type 134 ${ours}`,
  ]);
  const rules6 = await tagged('ip6tables');
  expect(rules6).toHaveLength(9);
  expect(rules6).toEqual(expect.arrayContaining(guards));
});

test('rules come before existing ones', async () => {
  await host.run('iptables', '-A', 'FORWARD', '-j', 'DROP');
  await heddle('bridge');
  const forward = (await host.run('iptables', '-S', 'FORWARD')).split('\n');
  expect(forward.slice(1)).toEqual([expect.stringContaining('heddle'), '-A FORWARD -j DROP']);
});

test('rules are removed with the bridge, and rules of others stay', async () => {
  const foreign = ['FORWARD', '-i', 'weave', '-m', 'comment', '--comment', 'heddlelike', '-j', 'ACCEPT'];
  await host.run('iptables', '-A', ...foreign);
  await heddle('bridge');
  // As left by two processes that insert the same rule at the same moment.
  const [rule = ''] = await tagged('ip6tables');
  await host.run('ip6tables', ...rule.split(' '));
  expect((await tagged('ip6tables')).filter((line) => line === rule)).toHaveLength(2);
  await heddle('reset');
  expect(await tagged('ip6tables')).toEqual([]);
  expect(await tagged('iptables')).toEqual([`-A ${foreign.join(' ')}`]);
});

test('an exposed network is masqueraded once, until its last address is hidden', async () => {
  await heddle('expose', '-', '10.2.0.1/16', '10.2.0.2/16', 'fd00:2::1/64');
  await heddle('expose', '-', '10.2.0.1/16');
  const ours = '-m comment --comment heddle -j';
  const rules = [
    `-A POSTROUTING -s 10.2.0.0/16 -d 224.0.0.0/4 ${ours} RETURN`,
    `-A POSTROUTING -s 10.2.0.0/16 ! -d 10.2.0.0/16 ${ours} MASQUERADE`,
    `-A POSTROUTING ! -s 10.2.0.0/16 -d 10.2.0.0/16 ${ours} MASQUERADE`,
  ];
  expect(await tagged('iptables', 'nat')).toEqual(rules);
  expect(await tagged('ip6tables', 'nat')).toHaveLength(3);
  await heddle('hide', '-', '10.2.0.1/16', 'fd00:2::1/64');
  expect(await tagged('iptables', 'nat')).toEqual(rules);
  expect(await tagged('ip6tables', 'nat')).toEqual([]);
  await heddle('hide', '-', '10.2.0.2/16');
  expect(await tagged('iptables', 'nat')).toEqual([]);
  await heddle('expose', '-', '10.2.0.1/16');
  await heddle('reset');
  expect([await tagged('iptables', 'nat'), await tagged('iptables')]).toEqual([[], []]);
});

test("exposed addresses are unreachable from Docker's own networks, whatever Docker accepts before", async () => {
  await host.run('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
  const [web] = [await startNamespace()];
  running.push(web);
  const outside: LabNamespace[] = [];
  for (const [index, device] of ['docker0', 'br-0123456789ab', 'office'].entries()) {
    const container = await startNamespace();
    running.push(container);
    const gateway = `172.${17 + index}.0.1`;
    const pid = container.nsPath.split('/')[2] as string;
    await host.run('ip', 'link', 'add', device, 'type', 'bridge');
    await host.run('ip', 'address', 'add', `${gateway}/16`, 'dev', device);
    await host.run('ip', 'link', 'set', device, 'up');
    const peer = ['peer', 'name', 'eth0', 'netns', pid];
    await host.run('ip', 'link', 'add', `up${index}`, 'master', device, 'up', 'type', 'veth', ...peer);
    await container.run('ip', 'address', 'add', `172.${17 + index}.0.2/16`, 'dev', 'eth0');
    await container.run('ip', 'link', 'set', 'eth0', 'up');
    await container.run('ip', 'route', 'add', 'default', 'via', gateway);
    outside.push(container);
  }
  await heddle('bridge');
  await heddle('attach', web.nsPath, '10.2.1.1/24');
  await heddle('expose', '-', '10.2.1.101/24');
  await host.run('iptables', '-I', 'FORWARD', '-j', 'ACCEPT'); // as Docker does, before all others
  const connect =
    "require('net').connect(7001, '10.2.1.1').on('error', (e) => console.log(e.code === 'ECONNREFUSED'))";
  const reached = () =>
    Promise.all(
      outside.map((from) => from.run('timeout', '2', process.execPath, '-e', connect).catch(() => 'false')),
    );
  expect(await reached()).toEqual(['false', 'false', 'true']);
  // The next check removes rules of removed networks.
  await host.run('ip', 'link', 'delete', 'br-0123456789ab');
  await heddle('expose', '-', '10.2.1.101/24');
  const ours = '-m comment --comment heddle -j DROP';
  expect(await tagged('iptables', 'mangle')).toEqual([`-A FORWARD -i docker0 -o ${TEST_BRIDGE} ${ours}`]);
  await host.run('iptables', '-t', 'mangle', '-F');
  expect((await reached())[0]).toBe('true');
  await heddle('expose', '-', '10.2.1.101/24');
  await heddle('reset');
  expect(await tagged('iptables', 'mangle')).toEqual([]);
});

test('a network is masqueraded as long as one of its addresses needs it', async () => {
  const exposed = async (...args: string[]) => {
    await heddle('expose', '-', ...args);
    return (await tagged('iptables', 'nat')).length;
  };
  const foreign = ['POSTROUTING', '-s', '10.2.0.0/16', '-j', 'ACCEPT'];
  await host.run('iptables', '-t', 'nat', '-A', ...foreign);
  expect(await exposed('10.2.0.1/16', 'without=10.2.0.1/16')).toBe(0);
  expect(await exposed('10.2.0.1/16')).toBe(3);
  expect(await exposed('10.2.0.1/16', 'without=10.2.0.1/16')).toBe(0);
  expect(await exposed('10.2.0.2/16', '10.3.0.1/16', 'without=10.2.0.1/16')).toBe(6);
  expect(await exposed('10.2.0.1/16', 'without=10.2.0.1/16')).toBe(6);
  await heddle('hide', '-', '10.2.0.2/16', 'without=10.2.0.1/16');
  expect((await tagged('iptables', 'nat')).filter((rule) => !rule.includes('10.3.0.0/16'))).toEqual([]);
  expect(await host.run('iptables', '-t', 'nat', '-S')).toContain(`-A ${foreign.join(' ')}`);
});

test("rules are made by the backend that holds Docker's chains", async () => {
  await host.run('iptables-legacy', '-N', 'DOCKER');
  await heddle('bridge');
  expect(await tagged('iptables-legacy')).toHaveLength(7);
  expect(await tagged('iptables-nft')).toEqual([]);
  await heddle('reset');
  expect(await tagged('iptables-legacy')).toEqual([]);
});

test("containers talk where the policy for bridged packets is Docker's DROP", async () => {
  // Fails without bridge netfilter in the kernel, as this test would then prove nothing.
  await host.run('sh', '-c', 'echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables');
  await host.run('iptables', '-P', 'FORWARD', 'DROP');
  await heddle('bridge');
  const [one, other] = [await startNamespace(), await startNamespace()];
  running.push(one, other);
  await heddle('attach', one.nsPath, '10.2.1.1/16');
  await heddle('attach', other.nsPath, '10.2.1.2/16');
  // Nothing listens there: a refused connection is an answer of the other container.
  const connect =
    "require('net').connect(7001, '10.2.1.1').on('error', (e) => console.log(e.code === 'ECONNREFUSED'))";
  const reaches = (): Promise<string> =>
    other.run('timeout', '2', process.execPath, '-e', connect).catch(() => 'false');
  expect(await reaches()).toBe('true');
  await heddle('unprotected');
  expect(await reaches()).toBe('false');
});

test('a host without iptables gets its bridge, and a warning', async () => {
  const hidden = 'mount -t tmpfs none /usr/sbin && exec "$0" "$@"';
  const { status, stderr } = await runProgram('nsenter', [
    ...[`--net=${host.nsPath}`, 'unshare', '--mount', 'sh', '-c', hidden],
    ...[process.execPath, PROCESS, 'bridge'],
  ]);
  expect({ status, stderr }).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('install iptables'),
  });
  expect(await host.run('ip', 'link', 'show', TEST_BRIDGE)).toContain('UP');
});
