import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readProcAddresses } from '../../src/addresses/proc-net.ts';
import { HeddleError } from '../../src/errors.ts';
import { parseCidr } from '../../src/network/cidr.ts';
import { IptablesFirewall } from '../../src/network/firewall/firewall.ts';
import { hostEndName } from '../../src/network/host-end.ts';
import { macFor } from '../../src/network/mac.ts';
import { addAddress } from '../../src/network/netlink/address.ts';
import { loadLibc } from '../../src/network/netlink/libc.ts';
import { newBridge, newVethPair } from '../../src/network/netlink/link.ts';
import { Namespace } from '../../src/network/netlink/namespace.ts';
import { RouteSocket } from '../../src/network/netlink/route-socket.ts';
import { findLink } from '../../src/network/netlink/tables.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { count } from '../support/counts.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/folder.ts';
import { kernelEngine } from '../support/kernel-engine.ts';
import {
  type LabNamespace,
  requirePrivateNetwork,
  startNamespace,
  TEST_BRIDGE,
} from '../support/namespaces.ts';
import { runProgram, succeed } from '../support/program.ts';

/** What only a real kernel can test; network.test.ts has what both engines promise. */
const PROCESS = fileURLToPath(new URL('../support/network-process.ts', import.meta.url));
const engine = kernelEngine();
const ID = 'a1b2'.repeat(16);
/** For repetitions, of which test:full makes many more. */
const PATIENT = { timeout: count(60_000, 900_000) };
const first = parseCidr('10.2.1.1/16');
const second = parseCidr('10.2.1.2/16');

const running: LabNamespace[] = [];
async function started(): Promise<LabNamespace & { container: string }> {
  const namespace = await startNamespace();
  running.push(namespace);
  return { ...namespace, container: ID };
}

interface IpLink {
  readonly ifname: string;
  readonly mtu: number;
  readonly address: string;
  readonly flags: readonly string[];
  readonly ifalias?: string;
  readonly master?: string;
}
const links = async (ip: (...args: string[]) => Promise<string>): Promise<IpLink[]> =>
  JSON.parse(await ip('-j', 'link', 'show')) as IpLink[];
const hostLinks = (): Promise<IpLink[]> => links((...args) => succeed('ip', args));
const linksIn = (namespace: LabNamespace): Promise<IpLink[]> =>
  links((...args) => namespace.run('ip', ...args));
const pairsOnHost = async (): Promise<string[]> =>
  (await hostLinks()).filter(({ master }) => master === TEST_BRIDGE).map(({ ifname }) => ifname);
const named = (all: readonly IpLink[], name: string): IpLink | undefined =>
  all.find(({ ifname }) => ifname === name);
const ips = async ({ nsPath }: LabNamespace): Promise<string[]> =>
  (await engine.addresses(nsPath)).map(({ ip }) => ip);

beforeAll(requirePrivateNetwork);
afterEach(async () => {
  await Promise.all(running.splice(0).map((namespace) => namespace.end()));
  await engine.removeBridge();
});

describe('a path that leads into another network by then', () => {
  test.each(['attach', 'detach'] as const)(
    'is found out after the lock: %s does nothing to anybody',
    async (verb) => {
      await engine.ensureBridge();
      const [web, other] = [await started(), await started()];
      await engine.attach(web, [first]);
      await engine.attach(other, [first]);
      await using folder = await temporaryFolder();
      const nsPath = join(folder.path, 'net');
      await symlink(web.nsPath, nsPath);
      const libc = await loadLibc();
      const held = new Namespace(web.nsPath);
      await held.lock(libc);
      const done = engine[verb]({ nsPath, container: ID }, verb === 'attach' ? [second] : [first]);
      const refused = expect(done).rejects.toMatchObject({ code: 'not-running' });
      await rm(nsPath);
      await symlink(other.nsPath, nsPath);
      held[Symbol.dispose]();
      await refused;
      for (const each of [web, other]) expect(await ips(each)).toEqual([first.ip]);
    },
  );

  test('is checked while the network is held open, for reads and changes alike', async () => {
    const asked: string[] = [];
    const confirm = async (nsPath: string, container: string) => {
      asked.push(`${nsPath} ${container}`);
      throw new HeddleError('not-running', 'it is another process');
    };
    const doubting = kernelEngine(TEST_BRIDGE, { confirm });
    await doubting.ensureBridge();
    const web = await started();
    const refusal = { code: 'not-running', message: 'it is another process' };
    await expect(doubting.attach(web, [first])).rejects.toMatchObject(refusal);
    await expect(doubting.detach(web, [first])).rejects.toMatchObject(refusal);
    await expect(doubting.addresses(web.nsPath, ID)).rejects.toMatchObject(refusal);
    expect(new Set(asked)).toEqual(new Set([`${web.nsPath} ${ID}`]));
    expect(await ips(web)).toEqual([]);
  });
});

describe('a namespace whose lock a process inside holds', () => {
  test('delays one call for long, and later ones for a moment; other namespaces are served', async () => {
    await engine.ensureBridge();
    const [hostile, honest] = [await started(), await started()];
    const holder = hostile.spawn('flock', '-x', '/proc/self/ns/net', 'sleep', '600');
    const isHeld = () =>
      expect(hostile.run('flock', '-n', '-x', '/proc/self/ns/net', 'true')).rejects.toThrow();
    await eventually(isHeld);
    const began = performance.now();
    const ended = Array.from({ length: 40 }, () =>
      engine.attach(hostile, [first]).then(
        () => Number.NaN,
        (error: unknown) => {
          expect(error).toMatchObject({ code: 'failed', message: expect.stringMatching(/another process/) });
          return performance.now() - began;
        },
      ),
    );
    await engine.attach(honest, [second]);
    expect(performance.now() - began).toBeLessThan(2_000);
    const times = (await Promise.all(ended)).toSorted((one, other) => one - other);
    expect(times.at(-2)).toBeLessThan(4_000);
    expect(times.at(-1)).toBeGreaterThanOrEqual(5_000);
    holder.kill('SIGKILL');
    expect(await ips(honest)).toEqual([second.ip]);
  });
});

describe('a container with too many addresses', () => {
  test('is not read, and others are', async () => {
    await engine.ensureBridge();
    const [hostile, honest] = [await started(), await started()];
    await engine.attach(honest, [first]);
    await using folder = await temporaryFolder();
    const batch = join(folder.path, 'batch');
    const addresses = Array.from({ length: 5_000 }, (_, index) => `10.9.${index >> 8}.${index & 255}/32`);
    await writeFile(batch, addresses.map((each) => `address add ${each} dev lo\n`).join(''));
    await hostile.run('ip', '-batch', batch);
    const refusal = { code: 'refused', message: expect.stringMatching(/more than 4096/) };
    await expect(engine.addresses(hostile.nsPath)).rejects.toMatchObject(refusal);
    expect(await ips(honest)).toEqual([first.ip]);
  });
});

describe('the owner of an address', () => {
  test('is found by the port of its answer, whatever its MAC', async () => {
    await engine.expose([parseCidr('10.2.0.1/16')]);
    const [web, thief] = [await started(), await started()];
    await engine.attach(web, [first]);
    await engine.attach(thief, [second]);
    const answering = async () => {
      await runProgram('busybox', ['ping', '-c', '1', '-W', '1', first.ip]);
      return (await engine.bridgeNeighbours()).filter(({ ip }) => ip === first.ip);
    };
    expect(await answering()).toEqual([{ ip: first.ip, namespace: web.inode }]);
    await web.run('ip', 'address', 'delete', '10.2.1.1/16', 'dev', 'ethwe');
    await thief.run('ip', 'address', 'add', '10.2.1.1/16', 'dev', 'ethwe');
    await succeed('ip', ['neighbour', 'flush', 'dev', TEST_BRIDGE]);
    expect(await answering()).toEqual([{ ip: first.ip, namespace: thief.inode }]);
  });
});

describe('what is made', () => {
  test('both ends have the MTU, the host end is named after the namespace and marked with the container', async () => {
    await engine.ensureBridge();
    const target = await started();
    await engine.attach(target, [first]);
    const host = named(await hostLinks(), hostEndName(target.inode));
    expect(host).toMatchObject({ mtu: 1450, master: TEST_BRIDGE, ifalias: ID });
    expect(named(await linksIn(target), 'ethwe')).toMatchObject({ mtu: 1450, address: '0a:58:0a:02:01:01' });
    expect(await target.run('ip', 'route', 'show', '224.0.0.0/4')).toContain('dev ethwe');
    const ends = [
      await succeed('ip', ['-d', 'link', 'show', hostEndName(target.inode)]),
      await target.run('ip', '-d', 'link', 'show', 'ethwe'),
    ];
    for (const end of ends) expect(end).toMatch(/numtxqueues 1 numrxqueues 1 /);
  });

  test('an MTU below 1280, which leaves devices without IPv6, is no obstacle', async () => {
    const narrow = kernelEngine(TEST_BRIDGE, {}, 1200);
    await narrow.ensureBridge();
    const target = await started();
    await narrow.attach(target, [first]);
    expect(named(await hostLinks(), hostEndName(target.inode))).toMatchObject({
      mtu: 1200,
      master: TEST_BRIDGE,
    });
    expect(await ips(target)).toContain(first.ip);
    await narrow.detach(target, [first]);
  });

  test('a container without a multicast route gets none by later attachments', async () => {
    await engine.ensureBridge();
    const [never, since] = [await started(), await started()];
    const route = (target: LabNamespace) => target.run('ip', 'route', 'show', '224.0.0.0/4');
    for (let times = 0; times < 2; times++) await engine.attach(never, [first], { multicastRoute: false });
    await engine.attach(since, [second]);
    expect(await route(since)).toContain('dev ethwe');
    const added = await engine.attach(since, [second], { multicastRoute: false });
    expect(added).toEqual({ created: false, added: [] });
    for (const target of [never, since]) {
      expect(await route(target)).toBe('');
      await engine.attach(target, [parseCidr(`10.3.1.${target === never ? 1 : 2}/16`)]);
      expect(await route(target)).toBe('');
    }
  });

  test('the bridge keeps its MAC and MTU when ports come and go, and forwards without delay', async () => {
    await engine.ensureBridge();
    const before = named(await hostLinks(), TEST_BRIDGE);
    expect(before).toMatchObject({ mtu: 1450, address: expect.stringMatching(/^0a:5a:/) });
    const target = await started();
    await engine.attach(target, [first]);
    await engine.detach(target, [first]);
    const { mtu, address } = before as IpLink;
    expect(named(await hostLinks(), TEST_BRIDGE)).toMatchObject({ mtu, address });
    expect(await succeed('ip', ['-d', 'link', 'show', TEST_BRIDGE])).toMatch(/forward_delay 0 .*stp_state 0/);
  });

  test('the MAC changes when its address is detached', async () => {
    await engine.ensureBridge();
    const [one, other] = [await started(), await started()];
    await engine.attach(one, [first, second]);
    await engine.detach(one, [first]);
    await engine.attach(other, [first]);
    expect(named(await linksIn(one), 'ethwe')?.address).toBe('0a:58:0a:02:01:02');
    expect(named(await linksIn(other), 'ethwe')?.address).toBe('0a:58:0a:02:01:01');
  });

  test('all pairs return into a bridge that was made again, whichever is attached again', async () => {
    await engine.ensureBridge();
    const [one, other] = [await started(), await started()];
    await engine.attach(one, [first]);
    await engine.attach(other, [second]);
    await succeed('ip', ['link', 'delete', TEST_BRIDGE]);
    expect(await pairsOnHost()).toEqual([]);
    await engine.ensureBridge();
    expect(await engine.attach(one, [first])).toEqual({ created: false, added: [] });
    expect((await pairsOnHost()).sort()).toEqual([one, other].map(({ inode }) => hostEndName(inode)).sort());
  });

  test('two containers reach each other over TCP', async () => {
    // A Docker engine in the same world forwards nothing between ports of a bridge without our rules.
    const rules = new IptablesFirewall({ log: silentLogger }, { bridge: TEST_BRIDGE, localBridges: [] });
    await rules.ensureRules();
    await engine.ensureBridge();
    const [one, other] = [await started(), await started()];
    await engine.attach(one, [first]);
    await engine.attach(other, [second]);
    const server = "require('net').createServer((s) => s.end('woven')).listen(7000, '10.2.1.1')";
    const client = "require('net').connect(7000, '10.2.1.1').pipe(process.stdout)";
    const serving = one.spawn(process.execPath, '-e', server);
    try {
      await eventually(async () => expect(await other.run(process.execPath, '-e', client)).toBe('woven'));
    } finally {
      serving.kill('SIGKILL');
      await rules.removeRules();
    }
  });

  test('the reader of /proc sees the same addresses, with the right interface', async () => {
    await engine.ensureBridge();
    const target = await started();
    await engine.attach(target, [first, second, parseCidr('fd00::1/64')]);
    const seen = await readProcAddresses(target.nsPath.replace('/ns/net', '/net'));
    expect(seen).toEqual(await engine.addresses(target.nsPath));
  });

  test('the neighbours receive every announcement of an attached address, thirty of thirty (weave#300)', async () => {
    await engine.ensureBridge();
    const [moving, neighbour] = [await started(), await started()];
    await engine.attach(neighbour, [parseCidr('10.2.9.9/16')]);
    // This neighbour believes every announcement and stores its sender, which proves that it received one.
    await neighbour.run('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/ethwe/arp_accept');
    for (let round = 1; round <= 30; round++) {
      const cidr = parseCidr(`10.2.1.${round}/16`);
      await engine.attach(moving, [cidr]);
      await eventually(
        async () => expect(await neighbour.run('ip', 'neigh')).toContain(`${cidr.ip} dev ethwe lladdr 0a:58`),
        { every: 5 },
      );
      await engine.detach(moving, [cidr]);
    }
  });
});

describe('what was left half made', () => {
  /** The state after the first message of an attach, in which a killed process leaves a container. */
  async function halfAttached(target: LabNamespace, addresses: readonly string[]): Promise<void> {
    const libc = await loadLibc();
    using host = new RouteSocket(libc);
    using namespace = new Namespace(target.nsPath);
    using inside = namespace.connect(libc);
    const bridge = findLink(host, TEST_BRIDGE)?.index ?? 0;
    const cidrs = addresses.map(parseCidr);
    host.request(
      newVethPair({
        hostName: hostEndName(target.inode),
        bridge,
        mtu: 1450,
        peerName: 'ethwe',
        peerMac: macFor([...cidrs, parseCidr('10.2.77.77/16')]),
        namespace: namespace.fd,
      }),
    );
    const index = findLink(inside, 'ethwe')?.index ?? 0;
    inside.request(...cidrs.map((cidr) => addAddress(index, cidr)));
  }

  test.each([
    ['without an address', []],
    ['with its address', ['10.2.1.1/16']],
    ['with an address that is no longer requested', ['10.2.66.66/16']],
  ])('a pair %s is seen by no reader, and the next attach completes it', async (_, addresses) => {
    await engine.ensureBridge();
    const target = await started();
    await halfAttached(target, addresses);
    expect(await ips(target)).toEqual([]);
    expect(await engine.attach(target, [first])).toEqual({ created: false, added: [first] });
    expect(await ips(target)).toEqual(['10.2.1.1']);
    expect(named(await linksIn(target), 'ethwe')?.address).toBe('0a:58:0a:02:01:01');
    expect(named(await hostLinks(), hostEndName(target.inode))).toMatchObject({ ifalias: ID });
  });

  test('a pair without an address is removed by detach', async () => {
    await engine.ensureBridge();
    const target = await started();
    await halfAttached(target, []);
    expect(await engine.detach(target, [first])).toEqual({ removed: [] });
    expect(await pairsOnHost()).toEqual([]);
  });

  test('a bridge that was made and not set up is completed', async () => {
    const libc = await loadLibc();
    using host = new RouteSocket(libc);
    host.request(newBridge(TEST_BRIDGE, Buffer.from([0x0a, 0x5a, 1, 2, 3, 4])));
    await engine.ensureBridge();
    const bridge = named(await hostLinks(), TEST_BRIDGE);
    expect(bridge).toMatchObject({ mtu: 1450, flags: expect.arrayContaining(['UP']) });
  });

  test('a process killed at any moment leaves nothing that blocks the next one', PATIENT, async () => {
    await engine.ensureBridge();
    const target = await started();
    for (let round = 0; round < count(3, 200); round++) {
      const churn = spawn(process.execPath, [PROCESS, 'churn', target.nsPath, '10.2.1.1/16', '10.2.1.2/16']);
      const ended = new Promise((resolve) => churn.once('exit', resolve));
      await new Promise((resolve) => churn.stdout.once('data', resolve));
      await delay((round % 10) * 3.7);
      churn.kill('SIGKILL');
      await ended;
      await engine.attach(target, [first, second]);
      expect(await ips(target)).toEqual(['10.2.1.1', '10.2.1.2']);
      expect(await pairsOnHost()).toEqual([hostEndName(target.inode)]);
    }
  });

  test('a failed attach removes what it made', async () => {
    await engine.ensureBridge();
    const target = await started();
    await target.run('sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6');
    const refusal = { code: 'not-supported', message: expect.stringContaining('IPv6 is disabled') };
    const ipv6 = parseCidr('fd00::1/64');
    await expect(engine.attach(target, [first, ipv6])).rejects.toMatchObject(refusal);
    expect(await pairsOnHost()).toEqual([]);
    await engine.attach(target, [first]);
    await expect(engine.attach(target, [first, second, ipv6])).rejects.toMatchObject(refusal);
    expect(await ips(target)).toEqual(['10.2.1.1']);
  });

  test(
    'nothing is left of ended containers, even those that end while being attached, and no descriptor stays open',
    PATIENT,
    async () => {
      await engine.ensureBridge();
      const devices = (await hostLinks()).length;
      const before = readdirSync('/proc/self/fd').length;
      for (let round = 0; round < count(50, 1000); round++) {
        const target = await started();
        const [ending] = round % 2 ? [target.end()] : [];
        await engine.attach(target, [first, second]).catch((error: unknown) => {
          expect(error).toMatchObject({ code: 'not-running' });
        });
        await engine.addresses(target.nsPath).catch(() => undefined);
        await (ending ?? target.end());
        running.splice(0);
      }
      await eventually(async () => expect(await hostLinks()).toHaveLength(devices));
      expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before);
    },
  );
});

describe('with other processes', () => {
  test(
    'eight processes at once attach one container: one makes the pair, all addresses are there',
    PATIENT,
    async () => {
      await engine.ensureBridge();
      for (let round = 0; round < count(1, 20); round++) {
        const target = await started();
        const outputs = await Promise.all(
          Array.from({ length: 8 }, (_, index) =>
            succeed(process.execPath, [
              PROCESS,
              'attach',
              target.nsPath,
              '10.2.1.1/16',
              `10.2.2.${index + 1}/16`,
            ]),
          ),
        );
        const results = outputs.map((output) => JSON.parse(output) as { created: boolean });
        expect(results.filter(({ created }) => created)).toHaveLength(1);
        expect(await ips(target)).toHaveLength(9);
      }
    },
  );

  test.each([
    ['net_admin', 'NET_ADMIN'],
    ['sys_admin', 'SYS_ADMIN'],
    ['sys_ptrace', 'SYS_PTRACE'],
  ])('without the capability %s the refusal names it', async (dropped, name) => {
    await engine.ensureBridge();
    const target = await started();
    const { status, stderr } = await runProgram('setpriv', [
      `--bounding-set=-${dropped}`,
      ...[process.execPath, PROCESS, 'attach', target.nsPath, '10.2.1.1/16'],
    ]);
    expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining('not-permitted') });
    expect(stderr).toContain(`cannot attach container cccccccccccc`);
    expect(stderr).toContain(`the capability ${name}`);
    expect(await ips(target)).toEqual([]);
  });

  test('addresses are read without NET_ADMIN, which only changing needs', async () => {
    await engine.ensureBridge();
    const target = await started();
    await engine.attach(target, [first]);
    const { stdout, stderr } = await runProgram('setpriv', [
      '--bounding-set=-net_admin',
      ...[process.execPath, PROCESS, 'read', target.nsPath],
    ]);
    expect({ stdout, stderr }).toMatchObject({ stdout: expect.stringContaining('10.2.1.1'), stderr: '' });
  });

  test('an interface ethwe of another kind is left alone', async () => {
    await engine.ensureBridge();
    const target = await started();
    await target.run('ip', 'link', 'add', 'ethwe', 'type', 'bridge');
    await expect(engine.attach(target, [first])).rejects.toMatchObject({ code: 'taken' });
    expect(await pairsOnHost()).toEqual([]);
  });
});

describe('the watch', () => {
  test('reports addresses assigned by other programs, in namespaces with reused inode numbers', async () => {
    const notified: (number | undefined)[] = [];
    const watch = await engine.watch((namespace) => notified.push(namespace));
    for (let round = 0; round < 5; round++) {
      const target = await started();
      await engine.addresses(target.nsPath);
      notified.length = 0;
      await target.run('ip', 'link', 'set', 'lo', 'up');
      await eventually(() => expect(notified).toContain(target.inode));
      await target.end();
    }
    await watch.stop();
  });

  test('reports that everything must be read again when changes were lost', async () => {
    await succeed('ip', ['link', 'add', TEST_BRIDGE, 'type', 'bridge']);
    const notified: (number | undefined)[] = [];
    const watch = await engine.watch((namespace) => notified.push(namespace));
    await eventually(() => expect(notified).toEqual([undefined]));
    notified.length = 0;
    const lines = Array.from(
      { length: 8000 }, // its queue holds some four thousand
      (_, index) => `link set ${TEST_BRIDGE} ${index % 2 ? 'down' : 'up'}\n`,
    );
    execFileSync('ip', ['-batch', '-'], { input: lines.join('') }); // this process does not read meanwhile
    await eventually(() => expect(notified).toContain(undefined));
    notified.length = 0;
    const target = await started();
    await engine.addresses(target.nsPath);
    await target.run('ip', 'link', 'set', 'lo', 'up');
    // Until its queue is empty the kernel drops new messages, and reports that only once.
    const isNotified = (namespace: number | undefined) =>
      namespace === undefined || namespace === target.inode;
    await eventually(() => expect(notified.some(isNotified)).toBe(true));
    await watch.stop();
  });

  test('without NET_BROADCAST it logs so once, and requests a full scan once a second', async () => {
    const { status, stdout, stderr } = await runProgram('setpriv', [
      '--bounding-set=-net_broadcast',
      ...[process.execPath, PROCESS, 'watch'],
    ]);
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'undefined undefined undefined\n' });
    expect(stderr.match(/NET_BROADCAST/g)).toHaveLength(1);
  });

  test('leaves every thread in our own namespace', async () => {
    await engine.ensureBridge();
    const watch = await engine.watch(() => undefined);
    const target = await started();
    await engine.attach(target, [first]);
    const namespaces = readdirSync('/proc/self/task').map((task) =>
      readFileSync(`/proc/self/task/${task}/net/dev`, 'latin1').includes(`${TEST_BRIDGE}:`),
    );
    expect(new Set(namespaces)).toEqual(new Set([true]));
    await watch.stop();
  });
});
