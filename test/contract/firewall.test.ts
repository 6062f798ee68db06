import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/log.ts';
import { parseCidr } from '../../src/network/cidr.ts';
import { IptablesFirewall } from '../../src/network/firewall.ts';
import { KernelEngine } from '../../src/network/kernel.ts';
import { type LabNamespace, requirePrivateNetwork, startNamespace } from '../support/namespaces.ts';
import { runProgram, succeed } from '../support/program.ts';

const PROCESS = fileURLToPath(new URL('../support/network-process.ts', import.meta.url));
const firewall = new IptablesFirewall({ log: silentLogger }, { bridge: 'weave', localBridges: ['docker0'] });
const engine = new KernelEngine(
  { firewall, log: silentLogger },
  { bridge: 'weave', interface: 'ethwe', mtu: 1450 },
);
const running: LabNamespace[] = [];
const tagged = async (command: string): Promise<string[]> =>
  (await succeed(command, ['-S'])).split('\n').filter((rule) => rule.includes('--comment heddle'));

beforeAll(requirePrivateNetwork);
afterEach(async () => {
  await Promise.all(running.splice(0).map((namespace) => namespace.end()));
  await engine.removeBridge();
  for (const command of ['iptables-nft', 'iptables-legacy', 'ip6tables']) {
    await succeed(command, ['-P', 'FORWARD', 'ACCEPT']);
    await succeed(command, ['-F']);
    await succeed(command, ['-X']);
  }
});

describe('the firewall rules', () => {
  test('are made once, however often the bridge is made, for both families', async () => {
    await engine.ensureBridge();
    const rules = await tagged('iptables');
    expect(rules).toHaveLength(5);
    expect(rules).toContain('-A FORWARD -i weave -o weave -m comment --comment heddle -j ACCEPT');
    expect(rules).toContain(
      '-A INPUT -i docker0 -p udp -m udp --dport 53 -m comment --comment heddle -j ACCEPT',
    );
    await engine.ensureBridge();
    expect(await tagged('iptables')).toEqual(rules);
    expect(await tagged('ip6tables')).toEqual(rules);
  });

  test("come before Docker's own", async () => {
    await succeed('iptables', ['-A', 'FORWARD', '-j', 'DROP']);
    await engine.ensureBridge();
    const forward = (await succeed('iptables', ['-S', 'FORWARD'])).split('\n');
    expect(forward.slice(1)).toEqual([expect.stringContaining('heddle'), '-A FORWARD -j DROP']);
  });

  test('go with the bridge, and rules of others stay', async () => {
    const foreign = ['FORWARD', '-i', 'weave', '-m', 'comment', '--comment', 'heddlelike', '-j', 'ACCEPT'];
    await succeed('iptables', ['-A', ...foreign]);
    await engine.ensureBridge();
    await engine.removeBridge();
    expect(await tagged('ip6tables')).toEqual([]);
    expect(await tagged('iptables')).toEqual([`-A ${foreign.join(' ')}`]);
  });

  test("are made by the backend that holds Docker's chains", async () => {
    await succeed('iptables-legacy', ['-N', 'DOCKER']);
    await engine.ensureBridge();
    expect(await tagged('iptables-legacy')).toHaveLength(5);
    expect(await tagged('iptables-nft')).toEqual([]);
    await engine.removeBridge();
    expect(await tagged('iptables-legacy')).toEqual([]);
  });

  test("let containers talk where the policy for bridged packets is Docker's DROP", async () => {
    // Fails where the kernel has no bridge netfilter: then this test would prove nothing.
    writeFileSync('/proc/sys/net/bridge/bridge-nf-call-iptables', '1');
    await succeed('iptables', ['-P', 'FORWARD', 'DROP']);
    await engine.ensureBridge();
    const [one, other] = [await startNamespace(), await startNamespace()];
    running.push(one, other);
    await engine.attach({ nsPath: one.nsPath, container: 'a' }, [parseCidr('10.2.1.1/16')]);
    await engine.attach({ nsPath: other.nsPath, container: 'b' }, [parseCidr('10.2.1.2/16')]);
    const connect =
      "require('net').connect(7001, '10.2.1.1').on('error', (e) => e.code === 'ECONNREFUSED' && console.log('there'))";
    const reach = (): Promise<string> =>
      other.run('timeout', '2', process.execPath, '-e', connect).catch(() => '');
    expect(await reach()).toBe('there');
    await firewall.removeRules();
    expect(await reach()).toBe('');
  });

  test('are missed, not fatal, on a host without iptables', async () => {
    const hidden = 'mount -t tmpfs none /usr/sbin && exec "$0" "$@"';
    const { status, stderr } = await runProgram('unshare', [
      ...['--mount', 'sh', '-c', hidden, process.execPath, PROCESS, 'bridge'],
    ]);
    expect({ status, stderr }).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('install iptables'),
    });
    expect(await succeed('ip', ['link', 'show', 'weave'])).toContain('UP');
  });
});
