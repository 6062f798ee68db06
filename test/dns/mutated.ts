import { queryBytes } from './ask.ts';

const subnet = [{ code: 'CLIENT_SUBNET', ip: '198.51.100.0', sourcePrefixLength: 24 }];

/** Questions of all kinds, for every zone. */
export const QUESTIONS: readonly Buffer[] = [
  queryBytes('web.service.dc1.consul', 'A'),
  queryBytes('_web._tcp.service.consul', 'SRV', { edns: { size: 1232 } }),
  queryBytes('alias.service.consul', 'ANY', { edns: { size: 700, do: true, options: subnet } }),
  queryBytes('host.service.consul', 'A'),
  queryBytes('0a020101.addr.consul', 'AAAA', { cd: true }),
  queryBytes('web.service.dc2.consul', 'SRV'),
  queryBytes('front.weave.local', 'A', { edns: { size: 4096 } }),
  queryBytes('front', 'ANY'),
  queryBytes('1.1.2.10.in-addr.arpa', 'PTR'),
  queryBytes('consul', 'SOA', { edns: { size: 65_535, version: 1 } }),
  queryBytes('www.example.com', 'A', { edns: { size: 600 } }),
];

/** A packet with up to three faults: other bytes, other bits, an early end, or a piece of it behind another. */
export function mutated(packet: Buffer, below: (limit: number) => number): Buffer {
  let bytes = Buffer.from(packet);
  for (let changes = below(4); changes > 0 && bytes.length > 0; changes -= 1) {
    const at = below(bytes.length);
    switch (below(4)) {
      case 0:
        bytes[at] = below(256);
        break;
      case 1:
        bytes[at] = (bytes[at] as number) ^ (1 << below(8));
        break;
      case 2:
        bytes = bytes.subarray(0, at);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), packet.subarray(below(packet.length))]);
    }
  }
  return bytes;
}
