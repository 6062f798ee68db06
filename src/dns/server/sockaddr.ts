import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * Socket addresses in the kernel's layout (linux/in.h, linux/in6.h): the family in the machine's byte order, then the
 * port in network order. The machine's order is little-endian on every platform for which koffi has a build here.
 */

const [AF_INET, AF_INET6] = [2, 10];
/** `sockaddr_in` and `sockaddr_in6`. */
export const SOCKADDR_BYTES = { 4: 16, 6: 28 } as const;
/** Offset and length of the address in each. */
const ADDRESS = { 4: { at: 4, bytes: 4 }, 6: { at: 8, bytes: 16 } } as const;

const PORT_AT = 2;

export type Family = 4 | 6;

/** Throws for text that is not an IP address. */
export function encodeSockaddr(ip: string, port: number): Buffer {
  const family: Family = isIPv6(ip) ? 6 : 4;
  const bytes = Buffer.alloc(SOCKADDR_BYTES[family]);
  bytes.writeUInt16LE(family === 6 ? AF_INET6 : AF_INET, 0);
  bytes.writeUInt16BE(port, PORT_AT);
  bytes.set(ipaddr.parse(ip).toByteArray(), ADDRESS[family].at);
  return bytes;
}

/** Cached addresses, for each direction. */
const MAX_REMEMBERED = 4_096;

/** Converts the addresses of clients between bytes and text. Cached, since few clients send most queries. */
export class ClientAddresses {
  readonly #family: Family;
  readonly #texts = new Map<number | string, string>();
  readonly #sockaddrs = new Map<string, Buffer>();

  constructor(family: Family) {
    this.#family = family;
  }

  /** The address in a sockaddr, without its zone. */
  textOf(sockaddr: Buffer): string {
    const start = ADDRESS[this.#family].at;
    const end = start + ADDRESS[this.#family].bytes;
    const key = this.#family === 4 ? sockaddr.readUInt32BE(start) : sockaddr.toString('latin1', start, end);
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    const text = ipaddr.fromByteArray([...sockaddr.subarray(start, end)]).toString();
    if (this.#texts.size >= MAX_REMEMBERED) this.#texts.clear();
    this.#texts.set(key, text);
    return text;
  }

  /** The sockaddr of an address without a zone; overwritten by the next call for the same address. */
  sockaddrOf(ip: string, port: number): Buffer {
    let sockaddr = this.#sockaddrs.get(ip);
    if (sockaddr === undefined) {
      sockaddr = encodeSockaddr(ip, port);
      if (this.#sockaddrs.size >= MAX_REMEMBERED) this.#sockaddrs.clear();
      this.#sockaddrs.set(ip, sockaddr);
    }
    sockaddr.writeUInt16BE(port, PORT_AT);
    return sockaddr;
  }
}
