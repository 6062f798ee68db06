import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * Socket addresses as the kernel has them (linux/in.h, linux/in6.h): family in the machine's order, which is
 * little-endian on every platform that koffi has a build for here; then the port in network order.
 */

const [AF_INET, AF_INET6] = [2, 10];
/** `sockaddr_in` and `sockaddr_in6`. */
export const SOCKADDR_BYTES = { 4: 16, 6: 28 } as const;
/** Where the address stands in each, and how long it is. */
const ADDRESS = { 4: { at: 4, bytes: 4 }, 6: { at: 8, bytes: 16 } } as const;

const PORT_AT = 2;

export type Family = 4 | 6;

/** Throws for what is no address. */
export function encodeSockaddr(ip: string, port: number): Buffer {
  const family: Family = isIPv6(ip) ? 6 : 4;
  const bytes = Buffer.alloc(SOCKADDR_BYTES[family]);
  bytes.writeUInt16LE(family === 6 ? AF_INET6 : AF_INET, 0);
  bytes.writeUInt16BE(port, PORT_AT);
  bytes.set(ipaddr.parse(ip).toByteArray(), ADDRESS[family].at);
  return bytes;
}

/** Clients whose address is remembered, in each direction. */
const MAX_REMEMBERED = 4_096;

/** The addresses of clients, between bytes and text: the same few again and again. */
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

  /** The sockaddr of an address without a zone; overwritten when it is asked for again. */
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
