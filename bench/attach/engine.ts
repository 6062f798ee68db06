import { execFileSync } from 'node:child_process';
import { closeSync } from 'node:fs';
import { parseCidr } from '../../src/network/cidr.ts';
import { hostEndName } from '../../src/network/host-end.ts';
import { KernelEngine } from '../../src/network/kernel-engine.ts';
import { macFor } from '../../src/network/mac.ts';
import { addAddress, addMulticastRoute } from '../../src/network/netlink/address.ts';
import { type Libc, loadLibc } from '../../src/network/netlink/libc.ts';
import { keepAndAnnounceAddresses, newVethPair, setLink } from '../../src/network/netlink/link.ts';
import { encode, NLM_F, type Request } from '../../src/network/netlink/message.ts';
import { Namespace } from '../../src/network/netlink/namespace.ts';
import { netlinkAddress, openRouteSocket, RouteSocket } from '../../src/network/netlink/route-socket.ts';
import { findLink } from '../../src/network/netlink/tables.ts';
import { silentLogger as log } from '../../src/runtime/log.ts';
import { type LabNamespace, startNamespace } from '../../test/support/namespaces.ts';
import { type Figures, figures } from '../registration/figures.ts';

const BRIDGE = 'heddlebench';
const MTU = 1450;
const firewall = {
  ensureRules: async () => {},
  masquerade: async () => {},
  isolate: async () => {},
  unmasquerade: async () => {},
  removeRules: async () => {},
};

export interface EngineFigures {
  readonly engine: Figures;
  readonly again: Figures;
  readonly kernel: Figures;
  readonly batch: Figures;
}

/**
 * Measures the engine, the bare messages that it sends, and `ip -batch`, each in a new namespace. They alternate for so
 * many rounds, so that other load on the machine affects all three alike.
 */
export async function measureEngine(rounds: number): Promise<EngineFigures> {
  const engine = new KernelEngine({ firewall, log }, { bridge: BRIDGE, interface: 'ethwe', mtu: MTU });
  await engine.ensureBridge();
  const times = { engine: [], again: [], kernel: [], batch: [] } as Record<keyof EngineFigures, number[]>;
  for (let round = 0; round <= rounds; round++) {
    const namespaces = [await startNamespace(), await startNamespace(), await startNamespace()] as const;
    const cidr = parseCidr(`10.2.1.${(round % 250) + 1}/16`);
    const target = { nsPath: namespaces[0].nsPath, container: 'b'.repeat(64) };
    const attach = () => engine.attach(target, [cidr]).then(() => {});
    const taken = {
      engine: await timed(attach),
      again: await timed(attach),
      kernel: await bareMessages(namespaces[1], cidr.ip),
      batch: await timed(async () => batches(namespaces[2], cidr.ip)),
    };
    // The first round also loads code, and is not counted.
    if (round > 0)
      for (const [name, time] of Object.entries(taken)) times[name as keyof typeof times].push(time);
    await Promise.all(namespaces.map((namespace) => namespace.end()));
  }
  await engine.removeBridge();
  const { engine: first, again, kernel, batch } = times;
  return { engine: figures(first), again: figures(again), kernel: figures(kernel), batch: figures(batch) };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

/**
 * The time in the kernel alone: the same messages, encoded beforehand, from send to acknowledgement. It includes opening
 * the sockets and entering the namespace. Looking up interface indexes is not timed.
 */
async function bareMessages({ nsPath, inode }: LabNamespace, ip: string): Promise<number> {
  const libc = await loadLibc();
  using host = new RouteSocket(libc);
  using namespace = new Namespace(nsPath);
  const cidr = parseCidr(`${ip}/16`);
  const mac = macFor([cidr]);
  const create = newVethPair({
    hostName: hostEndName(inode),
    bridge: findLink(host, BRIDGE)?.index ?? 0,
    mtu: MTU,
    peerName: 'ethwe',
    peerMac: mac,
    namespace: namespace.fd,
  });
  let spent = 0;
  const watch = <T>(work: () => T): T => {
    const from = performance.now();
    const result = work();
    spent += performance.now() - from;
    return result;
  };
  const send = (socket: number, ...requests: readonly Request[]) => {
    const bytes = Buffer.concat(
      requests.map((request, index) => encode({ ...request, flags: request.flags | NLM_F.ACK }, index + 1)),
    );
    const answer = Buffer.alloc(4096);
    watch(() => {
      libc.send(socket, bytes);
      for (const _ of requests) libc.recv(socket, answer, 0);
    });
  };
  const outer = watch(() => open(libc));
  send(outer, create);
  const inner = watch(() => libc.inNamespace(namespace.fd, () => open(libc)));
  using inside = namespace.connect(libc);
  const index = findLink(inside, 'ethwe')?.index ?? 0;
  send(inner, keepAndAnnounceAddresses(index), addAddress(index, cidr));
  send(inner, setLink(index, { mac, up: true }), addMulticastRoute(index));
  send(inner, setLink(index, { mac }));
  watch(() => {
    closeSync(inner);
    closeSync(outer);
  });
  return spent;
}

const open = (libc: Libc): number => openRouteSocket(libc, (fd) => libc.bind(fd, netlinkAddress(0)));

/** The fewest processes that iproute2 needs: one batch on the host, and one inside. */
function batches({ nsPath, inode }: LabNamespace, ip: string): void {
  const peer = `peer name ethwe mtu ${MTU} netns ${nsPath}`;
  const pair = `link add ${hostEndName(inode)} mtu ${MTU} master ${BRIDGE} up type veth ${peer}\n`;
  const rest = `address add ${ip}/16 broadcast + dev ethwe\nlink set ethwe up\nroute add 224.0.0.0/4 dev ethwe\n`;
  execFileSync('ip', ['-batch', '-'], { input: pair });
  execFileSync('nsenter', [`--net=${nsPath}`, 'ip', '-batch', '-'], { input: rest });
}
