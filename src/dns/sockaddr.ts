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

export type Family = 4 | 6;

/** Throws for what is no address. */
export function encodeSockaddr(ip: string, port: number): Buffer {
  const family: Family = isIPv6(ip) ? 6 : 4;
  const bytes = Buffer.alloc(SOCKADDR_BYTES[family]);
  bytes.writeUInt16LE(family === 6 ? AF_INET6 : AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(ipaddr.parse(ip).toByteArray(), ADDRESS[family].at);
  return bytes;
}

/** Clients whose address is remembered as text. */
const MAX_TEXTS = 4_096;

/** The addresses of senders as text: the same few again and again. */
export class SenderTexts {
  readonly #family: Family;
  readonly #texts = new Map<number | string, string>();

  constructor(family: Family) {
    this.#family = family;
  }

  /** The address in a sockaddr that begins at `at`, without its zone. */
  textOf(sockaddrs: Buffer, at: number): string {
    const start = at + ADDRESS[this.#family].at;
    const end = start + ADDRESS[this.#family].bytes;
    const key = this.#family === 4 ? sockaddrs.readUInt32BE(start) : sockaddrs.toString('latin1', start, end);
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    const text = ipaddr.fromByteArray([...sockaddrs.subarray(start, end)]).toString();
    if (this.#texts.size >= MAX_TEXTS) this.#texts.clear();
    this.#texts.set(key, text);
    return text;
  }
}
