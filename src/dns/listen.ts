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
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed) {
    const [, ip = '', port] = bracketed;
    if (!isIPv6(ip)) throw badListen(text, `\`${ip}\` in brackets is not an IPv6 address`);
    return { ip, port: parsePort(text, port) };
  }
  if (isIP(text)) return { ip: text, port: DNS_PORT };
  const [ip = '', port, ...rest] = text.split(':');
  if (rest.length > 0) throw badListen(text, 'an IPv6 address with a port needs brackets: `[fd00::1]:53`');
  if (!isIP(ip)) throw badListen(text, `\`${ip}\` is not an IP address`);
  return { ip, port: parsePort(text, port) };
}

function parsePort(text: string, port: string | undefined): number {
  if (port === undefined) return DNS_PORT;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw badListen(text, `\`${port}\` is not a port from 0 to 65535`);
  }
  return Number(port);
}

function badListen(text: string, why: string): HeddleError {
  return new HeddleError(
    'bad-input',
    `\`${text}\` is no address to listen on: ${why}; expected an address of this host, such as 172.17.0.1, ` +
      '172.17.0.1:53 or [fd00::1]:53',
  );
}

/** As parseListen reads it, always with the port. */
export function formatListen({ ip, port }: ListenAddress): string {
  return isIPv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}`;
}

/** Whether whoever listens on `own` is met at `address`; `isHost` knows this host's addresses, for `0.0.0.0` and `::`. */
export function listensAt(
  own: ListenAddress,
  address: ListenAddress,
  isHost: (ip: string) => boolean,
): boolean {
  if (own.port !== address.port || isIPv6(own.ip) !== isIPv6(address.ip)) return false;
  const [listening, asked] = [ipaddr.parse(own.ip), ipaddr.parse(address.ip)];
  return listening.range() === 'unspecified' ? isHost(address.ip) : listening.toString() === asked.toString();
}
