import { setTimeout as delay } from 'node:timers/promises';
import { loadLibc } from '../../src/network/netlink/libc.ts';
import type { Link } from '../../src/network/netlink/link.ts';
import { RouteSocket } from '../../src/network/netlink/route-socket.ts';
import { findLink } from '../../src/network/netlink/tables.ts';

/**
 * What a container with Docker's default capabilities (NET_RAW) can put on its interface:
 *
 *     advertise IFACE          a router advertisement, every 100 ms
 *     claim IFACE IP           an announcement of this IPv4 address as its own, every 100 ms
 *     claim IFACE IP MAC       the same with another one's MAC
 */
const [command, device = '', ip = '', mac = ''] = process.argv.slice(2);
const AF_PACKET = 17;
const SOCK_RAW = 3;
const IPV6 = 0x86dd;
const ARP = 0x0806;
const macOf = (text: string): Buffer => Buffer.from(text.replaceAll(':', ''), 'hex');

function advertisement(from: Buffer): Buffer {
  const icmp = Buffer.alloc(16);
  icmp[0] = 134;
  icmp[4] = 64; // hops
  icmp.writeUInt16BE(1800, 6); // seconds that the sender is the default router
  const source = Buffer.from('fe8000000000000000000000deadbeef', 'hex');
  const target = Buffer.from('ff020000000000000000000000000001', 'hex'); // all nodes
  const pseudo = Buffer.concat([source, target, Buffer.from([0, 0, 0, icmp.length, 0, 0, 0, 58]), icmp]);
  let sum = 0;
  for (let index = 0; index < pseudo.length; index += 2) sum += pseudo.readUInt16BE(index);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  icmp.writeUInt16BE(~sum & 0xffff, 2);
  const header = Buffer.from([0x60, 0, 0, 0, 0, icmp.length, 58, 255]);
  return Buffer.concat([macOf('333300000001'), from, ethertype(IPV6), header, source, target, icmp]);
}

function claim(from: Buffer): Buffer {
  const address = Buffer.from(ip.split('.').map(Number));
  const request = Buffer.from([0, 1, 8, 0, 6, 4, 0, 1]);
  const body = Buffer.concat([request, from, address, Buffer.alloc(6), address]);
  return Buffer.concat([macOf('ffffffffffff'), from, ethertype(ARP), body]);
}

const ethertype = (type: number): Buffer => Buffer.from([type >> 8, type & 0xff]);

const libc = await loadLibc();
const until = Date.now() + 60_000;
while (Date.now() < until) {
  try {
    const link = findLink(new RouteSocket(libc), device);
    const from = mac ? macOf(mac) : (link as Link).mac;
    const socket = libc.socket(AF_PACKET, SOCK_RAW, 0);
    const address = Buffer.alloc(20); // struct sockaddr_ll
    address.writeUInt16LE(AF_PACKET, 0);
    address.writeInt32LE((link as Link).index, 4);
    libc.bind(socket, address);
    for (;;) {
      libc.send(socket, command === 'advertise' ? advertisement(from) : claim(from));
      await delay(100);
    }
  } catch {
    await delay(50); // not attached yet, or not up
  }
}
