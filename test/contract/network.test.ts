import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { formatCidr, parseCidr } from '../../src/network/cidr.ts';
import type { AttachTarget, Cidr, NetworkEngine } from '../../src/network/engine.ts';
import { eventually } from '../support/eventually.ts';
import { FakeNetworkEngine } from '../support/fake-network.ts';
import { kernelEngine } from '../support/kernel-engine.ts';
import {
  type LabNamespace,
  requirePrivateNetwork,
  startNamespace,
  TEST_BRIDGE,
} from '../support/namespaces.ts';
import { succeed } from '../support/program.ts';

/** An engine and a place to try it in. */
interface Lab {
  readonly engine: NetworkEngine;
  /** A container starts; `end` stops it. */
  container(): Promise<{ readonly nsPath: string; readonly inode: number; end(): Promise<void> }>;
  /** Path of a container that shares the host's network. */
  readonly hostPath: string;
  /** Another kind of device takes the bridge's name. */
  takeBridgeName(): Promise<void>;
  giveHost(device: string, cidr: string): Promise<void>;
  /** Another program puts the container's interface into the bridge, with this address. */
  attachAsOthers(nsPath: string, cidr: string): Promise<void>;
  /** The container makes the interface itself, with this address. */
  makeInterface(nsPath: string, cidr: string): Promise<void>;
  /** The host gets a route by an existing device. */
  addRoute(network: string, device: string): Promise<void>;
  /** Another program removes the bridge from under its pairs. */
  loseBridge(): Promise<void>;
  clear(): Promise<void>;
}

function memoryLab(): Lab {
  const engine = new FakeNetworkEngine({ bridge: TEST_BRIDGE });
  engine.addHostNamespace('/proc/host/ns/net');
  let started = 0;
  return {
    engine,
    container: async () => {
      const nsPath = `/proc/${++started}/ns/net`;
      return {
        nsPath,
        inode: engine.addNamespace(nsPath),
        end: async () => engine.removeNamespace(nsPath),
      };
    },
    hostPath: '/proc/host/ns/net',
    takeBridgeName: async () => engine.takeBridgeName(),
    giveHost: async (device, cidr) => engine.setHostAddresses(device, [parseCidr(cidr)]),
    attachAsOthers: async (nsPath, cidr) => engine.setAddresses(nsPath, 'ethwe', [parseCidr(cidr)]),
    makeInterface: async (nsPath, cidr) => engine.makeInterface(nsPath, [parseCidr(cidr)]),
    addRoute: async (network, device) => engine.addRoute(parseCidr(network), device),
    loseBridge: async () => engine.loseBridge(),
    clear: async () => engine.removeBridge(),
  };
}

function kernelLab(): Lab {
  const engine = kernelEngine();
  const running: LabNamespace[] = [];
  const devices: string[] = [];
  return {
    engine,
    container: async () => {
      const namespace = await startNamespace();
      running.push(namespace);
      return namespace;
    },
    hostPath: '/proc/self/ns/net',
    takeBridgeName: async () => {
      await succeed('ip', ['link', 'add', TEST_BRIDGE, 'type', 'veth', 'peer', 'name', 'heddletest1']);
      devices.push(TEST_BRIDGE);
    },
    giveHost: async (device, cidr) => {
      await succeed('ip', ['link', 'add', device, 'type', 'bridge']);
      devices.push(device);
      await succeed('ip', ['address', 'add', cidr, 'dev', device]);
    },
    attachAsOthers: async (nsPath, cidr) => {
      const peer = ['peer', 'name', 'ethwe', 'netns', nsPath.split('/')[2] as string];
      await succeed('ip', ['link', 'add', 'vethwepl7', 'master', TEST_BRIDGE, 'up', 'type', 'veth', ...peer]);
      await inside(nsPath, ['address', 'add', cidr, 'dev', 'ethwe']);
      await inside(nsPath, ['link', 'set', 'ethwe', 'up']);
    },
    makeInterface: async (nsPath, cidr) => {
      await inside(nsPath, ['link', 'add', 'ethwe', 'type', 'veth', 'peer', 'name', 'own']);
      await inside(nsPath, ['address', 'add', cidr, 'dev', 'ethwe']);
      await inside(nsPath, ['link', 'set', 'ethwe', 'up']);
    },
    addRoute: async (network, device) => {
      await succeed('ip', ['link', 'set', device, 'up']);
      await succeed('ip', ['route', 'add', network, 'dev', device]);
    },
    loseBridge: async () => void (await succeed('ip', ['link', 'delete', TEST_BRIDGE])),
    clear: async () => {
      await Promise.all(running.splice(0).map((namespace) => namespace.end()));
      for (const device of devices.splice(0)) await succeed('ip', ['link', 'delete', device]);
      await engine.removeBridge();
    },
  };
}

const inside = (nsPath: string, args: readonly string[]) =>
  succeed('nsenter', [`--net=${nsPath}`, 'ip', ...args]);

describe.each([
  ['memory', memoryLab],
  ['kernel', kernelLab],
] as const)('the %s engine', (kind, makeLab) => {
  let lab: Lab;
  let engine: NetworkEngine;

  beforeAll(() => {
    if (kind === 'kernel') requirePrivateNetwork();
  });
  beforeEach(() => {
    lab = makeLab();
    engine = lab.engine;
  });
  afterEach(() => lab.clear());

  const started = async (): Promise<AttachTarget & { inode: number; end(): Promise<void> }> => ({
    ...(await lab.container()),
    container: 'a'.repeat(64),
  });
  const texts = async (nsPath: string): Promise<string[]> =>
    (await engine.addresses(nsPath)).map((a) => `${a.interface} ${a.ip}/${a.prefixLength} v${a.family}`);

  test('a container that was just started has no address', async () => {
    expect(await texts((await started()).nsPath)).toEqual([]);
  });

  test('an attached container has its addresses on ethwe, IPv4 and IPv6', async () => {
    await engine.ensureBridge();
    const target = await started();
    const cidrs = ['10.2.1.1/16', '10.3.0.7/24', 'fd00:2::1/64'].map(parseCidr);
    expect(await engine.attach(target, cidrs)).toEqual({ created: true, added: cidrs });
    expect((await texts(target.nsPath)).sort()).toEqual([
      'ethwe 10.2.1.1/16 v4',
      'ethwe 10.3.0.7/24 v4',
      'ethwe fd00:2::1/64 v6',
    ]);
  });

  test('making the bridge twice is harmless', async () => {
    await engine.ensureBridge();
    await engine.ensureBridge();
    await engine.attach(await started(), [parseCidr('10.2.1.1/16')]);
  });

  test('restoring repairs an existing bridge, and never makes one', async () => {
    expect(await engine.restoreBridge()).toBe(false);
    await expect(engine.attach(await started(), [parseCidr('10.2.1.1/16')])).rejects.toMatchObject({
      code: 'not-found',
    });
    await engine.ensureBridge();
    expect(await engine.restoreBridge()).toBe(true);
  });

  test('a bridge removed from under its pairs is made again, or a reset removes the pairs', async () => {
    const web = await started();
    const address = parseCidr('10.2.1.1/16');
    await engine.ensureBridge();
    await engine.attach(web, [address]);
    await lab.loseBridge();
    expect(await engine.restoreBridge()).toBe(true);
    expect(await texts(web.nsPath)).toEqual(['ethwe 10.2.1.1/16 v4']);
    expect(await engine.attach(web, [address])).toEqual({ created: false, added: [] });
    await lab.loseBridge();
    await engine.removeBridge();
    expect(await texts(web.nsPath)).toEqual([]);
    expect(await engine.restoreBridge()).toBe(false);
  });

  test('attaching twice changes nothing, and a further address is added beside the first', async () => {
    await engine.ensureBridge();
    const target = await started();
    const [first, second] = [parseCidr('10.2.1.1/16'), parseCidr('10.2.1.2/16')] as const;
    await engine.attach(target, [first, first]);
    expect(await engine.attach(target, [first])).toEqual({ created: false, added: [] });
    expect(await engine.attach(target, [first, second])).toEqual({ created: false, added: [second] });
    expect(await texts(target.nsPath)).toEqual(['ethwe 10.2.1.1/16 v4', 'ethwe 10.2.1.2/16 v4']);
  });

  test('eight concurrent callers make one interface with all addresses', async () => {
    await engine.ensureBridge();
    const target = await started();
    const cidrs = Array.from({ length: 8 }, (_, index) => parseCidr(`10.2.1.${index + 1}/16`));
    const results = await Promise.all(cidrs.map((cidr) => engine.attach(target, [cidr])));
    expect(results.filter(({ created }) => created)).toHaveLength(1);
    expect(await texts(target.nsPath)).toHaveLength(8);
  });

  test('detaching the first address keeps the others, and the last one takes the interface away (weave#500)', async () => {
    await engine.ensureBridge();
    const target = await started();
    const cidrs = ['10.2.1.1/16', '10.2.1.2/16', '10.2.1.3/16'].map(parseCidr);
    await engine.attach(target, cidrs);
    expect(await engine.detach(target, cidrs.slice(0, 1))).toEqual({ removed: cidrs.slice(0, 1) });
    expect(await texts(target.nsPath)).toEqual(['ethwe 10.2.1.2/16 v4', 'ethwe 10.2.1.3/16 v4']);
    expect(await engine.detach(target, cidrs)).toEqual({ removed: cidrs.slice(1) });
    expect(await engine.detach(target, cidrs)).toEqual({ removed: [] });
    expect(await texts(target.nsPath)).toEqual([]);
    expect(await engine.attach(target, cidrs)).toMatchObject({ created: true });
  });

  test('an address attached while the last other one is detached stays', async () => {
    await engine.ensureBridge();
    const target = await started();
    const [first, second] = [parseCidr('10.2.1.1/16'), parseCidr('10.2.1.2/16')] as const;
    for (let round = 0; round < 5; round++) {
      await engine.attach(target, [first]);
      await Promise.all([engine.detach(target, [first]), engine.attach(target, [second])]);
      expect(await texts(target.nsPath)).toEqual(['ethwe 10.2.1.2/16 v4']);
      await engine.detach(target, [second]);
    }
  });

  test('the maker of the interface is found by its other end', async () => {
    await engine.ensureBridge();
    const [none, ours, others, own] = [await started(), await started(), await started(), await started()];
    await engine.attach(ours, [parseCidr('10.2.1.1/16')]);
    await lab.attachAsOthers(others.nsPath, '10.2.1.2/16');
    await lab.makeInterface(own.nsPath, '10.2.1.3/16');
    const makers = [none, ours, others, own].map(({ nsPath }) => engine.interfaceMaker(nsPath));
    expect(await Promise.all(makers)).toEqual([undefined, 'heddle', 'another', 'container']);
  });

  test("the host's own namespace is refused", async () => {
    await engine.ensureBridge();
    const target = { nsPath: lab.hostPath, container: 'a'.repeat(64) };
    const refusal = { code: 'host-network' };
    await expect(engine.attach(target, [parseCidr('10.2.1.1/16')])).rejects.toMatchObject(refusal);
    await expect(engine.detach(target, [parseCidr('10.2.1.1/16')])).rejects.toMatchObject(refusal);
    await expect(engine.addresses(lab.hostPath)).rejects.toMatchObject(refusal);
  });

  test('a stopped container is reported as stopped', async () => {
    await engine.ensureBridge();
    const target = await started();
    await target.end();
    const refusal = { code: 'not-running', message: expect.stringContaining(target.nsPath) };
    await expect(engine.attach(target, [parseCidr('10.2.1.1/16')])).rejects.toMatchObject(refusal);
    await expect(engine.detach(target, [parseCidr('10.2.1.1/16')])).rejects.toMatchObject(refusal);
    await expect(engine.addresses(target.nsPath)).rejects.toMatchObject(refusal);
  });

  test('without a bridge nothing is attached', async () => {
    const target = await started();
    const refusal = { code: 'not-found', message: expect.stringContaining(`no bridge ${TEST_BRIDGE}`) };
    await expect(engine.attach(target, [parseCidr('10.2.1.1/16')])).rejects.toMatchObject(refusal);
    expect(await texts(target.nsPath)).toEqual([]);
  });

  test('a bridge name used by another kind of device is refused, and the device stays', async () => {
    await lab.takeBridgeName();
    const refusal = { code: 'taken', message: expect.stringContaining(`${TEST_BRIDGE} is not a bridge`) };
    await expect(engine.ensureBridge()).rejects.toMatchObject(refusal);
    const attaching = engine.attach(await started(), [parseCidr('10.2.1.1/16')]);
    await expect(attaching).rejects.toMatchObject(refusal);
  });

  test('an unassignable address is refused before anything is made', async () => {
    await engine.ensureBridge();
    const target = await started();
    for (const cidrs of [['10.2.1.1/16', '10.2.0.0/16'], ['127.0.0.1/8'], []]) {
      const attaching = engine.attach(target, cidrs.map(parseCidr));
      await expect(attaching).rejects.toMatchObject({ code: 'bad-input' });
    }
    expect(await texts(target.nsPath)).toEqual([]);
  });

  test('routes by other devices are reported, and routes by the bridge are not', async () => {
    await lab.giveHost('heddletest0', '192.168.9.1/24');
    await lab.addRoute('10.64.0.0/10', 'heddletest0');
    await engine.expose([parseCidr('10.2.0.1/16')]);
    const networks = (await engine.hostNetworks()).map(
      ({ network, ip, device }) => `${formatCidr(network)} ${ip ?? 'route'} ${device}`,
    );
    expect(networks).toContain('192.168.9.0/24 192.168.9.1 heddletest0');
    expect(networks).toContain('10.64.0.0/10 route heddletest0');
    expect(networks.join()).not.toContain('10.2.0');
  });

  test("the host's own addresses are read by device, and a missing device has none", async () => {
    await lab.giveHost('heddletest0', '172.17.0.1/16');
    const address = { ip: '172.17.0.1', prefixLength: 16, family: 4, interface: 'heddletest0' };
    expect(await engine.hostAddresses('heddletest0')).toEqual([address]);
    expect(await engine.hostAddresses('heddletest1')).toEqual([]);
  });

  test('an exposed bridge has its addresses, and keeps the others when the first is hidden', async () => {
    const onBridge = async () => (await engine.hostAddresses(TEST_BRIDGE)).map(formatCidr);
    const [first, second, ipv6] = ['10.2.0.1/16', '10.2.0.2/16', 'fd00:2::1/64'].map(parseCidr) as [
      Cidr,
      Cidr,
      Cidr,
    ];
    await engine.expose([first, second]);
    await engine.expose([second, ipv6]);
    expect((await onBridge()).sort()).toEqual(['10.2.0.1/16', '10.2.0.2/16', 'fd00:2::1/64']);
    await engine.hide([first, ipv6]);
    await engine.hide([first]);
    expect(await onBridge()).toEqual(['10.2.0.2/16']);
    await engine.removeBridge();
    expect(await onBridge()).toEqual([]);
    await engine.hide([second]);
  });

  test('the MAC follows from the address, and a missing interface has none', async () => {
    await engine.expose([parseCidr('10.2.0.1/16')]);
    const target = await started();
    expect(await engine.mac(target.nsPath)).toBeUndefined();
    await engine.attach(target, [parseCidr('10.2.1.1/16')]);
    expect(await engine.mac(target.nsPath)).toBe('0a:58:0a:02:01:01');
    expect(await engine.hostMac(TEST_BRIDGE)).toMatch(/^0a:5a(:[0-9a-f]{2}){4}$/);
    expect(await engine.hostMac('heddletest1')).toBeUndefined();
  });

  test('a watcher is asked to scan everything, then notified of each changed container, until it stops', async () => {
    await engine.ensureBridge();
    const [one, other] = [await started(), await started()];
    const notified: (number | undefined)[] = [];
    const watch = await engine.watch((namespace) => notified.push(namespace));
    await eventually(() => expect(notified).toEqual([undefined]));
    for (const { nsPath } of [one, other]) await engine.addresses(nsPath);
    await engine.attach(one, [parseCidr('10.2.1.1/16')]);
    await eventually(() => expect(notified).toContain(one.inode));
    expect(notified).not.toContain(other.inode);
    notified.length = 0;
    await engine.detach(one, [parseCidr('10.2.1.1/16')]);
    await eventually(() => expect(notified).toContain(one.inode));
    await watch.stop();
    await watch.stop();
    notified.length = 0;
    await engine.attach(other, [parseCidr('10.2.1.2/16')]);
    expect(notified).toEqual([]);
  });

  test('a watcher is not notified of an existing attachment', async () => {
    await engine.ensureBridge();
    const [one, other] = [await started(), await started()];
    await engine.attach(one, [parseCidr('10.2.1.1/16')], { multicastRoute: false });
    const notified: (number | undefined)[] = [];
    const watch = await engine.watch((namespace) => notified.push(namespace));
    await eventually(() => expect(notified).toContain(undefined));
    notified.length = 0;
    for (const { nsPath } of [one, other]) await engine.addresses(nsPath);
    await engine.attach(one, [parseCidr('10.2.1.1/16')], { multicastRoute: false });
    await engine.attach(other, [parseCidr('10.2.1.2/16')]);
    await eventually(() => expect(notified).toContain(other.inode));
    expect(notified).not.toContain(one.inode);
    await watch.stop();
  });

  test('stopping one watcher leaves the others notified', async () => {
    await engine.ensureBridge();
    const target = await started();
    const notified: (number | undefined)[] = [];
    const leaving = await engine.watch(() => undefined);
    const staying = await engine.watch((namespace) => notified.push(namespace));
    await leaving.stop();
    await engine.attach(target, [parseCidr('10.2.1.1/16')]);
    await eventually(() => expect(notified).toContain(target.inode));
    await staying.stop();
  });
});
