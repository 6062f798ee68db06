import { isIP, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { HeddleError } from '../errors.ts';

/** Where a DNS server listens: an address of this host, and a port for both UDP and TCP. */
export interface ListenAddress {
  readonly ip: string;
  readonly port: number;
}

const DNS_PORT = 53;

/** Reads `10.0.0.1`, `10.0.0.1:5353`, `fd00::1` or `[fd00::1]:5353`; without a port, 53. Throws `bad-input`. */
export function parseListen(text: string): ListenAddress {
  return parseAddress(text, DNS_PORT, {
    what: 'address to listen on',
    example: 'an address of this host, such as 172.17.0.1, 172.17.0.1:53 or [fd00::1]:53',
    lowest: 0,
  });
}

/** Reads the address of another DNS server in the same form. Throws `bad-input`. */
export function parseServer(text: string, port = DNS_PORT): ListenAddress {
  return parseAddress(text, port, {
    what: 'DNS server',
    example: `an IP address, such as 10.0.0.2, 10.0.0.2:${port} or [fd00::2]:${port}`,
    lowest: 1,
  });
}

interface Expected {
  readonly what: string;
  readonly example: string;
  /** Port 0 means any free port when listening; no server can be asked there. */
  readonly lowest: 0 | 1;
}

function parseAddress(text: string, defaultPort: number, expected: Expected): ListenAddress {
  const bad = (why: string) =>
    new HeddleError('bad-input', `\`${text}\` is no ${expected.what}: ${why}; expected ${expected.example}`);
  const parsePort = (port: string | undefined) => {
    if (port === undefined) return defaultPort;
    if (/^\d{1,5}$/.test(port) && Number(port) >= expected.lowest && Number(port) <= 65_535)
      return Number(port);
    throw bad(`\`${port}\` is not a port from ${expected.lowest} to 65535`);
  };
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed) {
    const [, ip = '', port] = bracketed;
    if (!isIPv6(ip)) throw bad(`\`${ip}\` in brackets is not an IPv6 address`);
    return { ip, port: parsePort(port) };
  }
  if (isIP(text)) return { ip: text, port: defaultPort };
  const [ip = '', port, ...rest] = text.split(':');
  if (rest.length > 0) throw bad('an IPv6 address with a port needs brackets: `[fd00::1]:53`');
  if (!isIP(ip)) throw bad(`\`${ip}\` is not an IP address`);
  return { ip, port: parsePort(port) };
}

/** The form that parseListen reads, always with the port. */
export function formatListen({ ip, port }: ListenAddress): string {
  return isIPv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/**
 * Whether a server that listens on `listen` is reached at `address`. A server on `0.0.0.0` or `::` is reached at every
 * address for which `isHostAddress` holds.
 */
export function listensAt(
  listen: ListenAddress,
  address: ListenAddress,
  isHostAddress: (ip: string) => boolean,
): boolean {
  if (listen.port !== address.port || isIPv6(listen.ip) !== isIPv6(address.ip)) return false;
  const [listening, asked] = [ipaddr.parse(listen.ip), ipaddr.parse(address.ip)];
  return listening.range() === 'unspecified'
    ? isHostAddress(address.ip)
    : listening.toString() === asked.toString();
}
