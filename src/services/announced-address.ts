import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { isUnspecified } from '../addresses/reachable.ts';
import type { AnnouncedPort } from './announced-ports.ts';
import type { Variable } from './environment.ts';
import { shown } from './meta.ts';
import type { Service } from './service.ts';

/** The address a service is announced at, in both families if there are both; undefined if the container has none. */
interface Announced extends Pick<Service, 'addresses'> {
  readonly address: string | undefined;
  readonly problem?: string;
}

/**
 * The address a service is announced at: SERVICE_ADDRESS if it is set, else the chosen one. A prefix length and brackets
 * are removed, because Consul would serve `10.2.1.1/16` as a host name.
 */
export function announcedAddress(
  setting: Variable | undefined,
  place: Omit<AnnouncedPort, 'port'>,
): Announced {
  const chosen = announcedAt(place);
  if (setting === undefined || setting.value.trim() === '') return chosen;
  const given = setting.value.trim();
  const bare = given.replace(/\/\d{1,3}$/, '').replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) !== 0 && !bare.includes('%')) {
    const address = canonical(bare);
    if (!isUnspecified(address)) return { address };
  } else if (hostName(bare)) {
    return { address: bare };
  }
  return {
    ...chosen,
    problem: `${setting.variable} ${JSON.stringify(shown(given))} is refused: expected an IP address or a host name`,
  };
}

function announcedAt({ ip, ipv6 }: Omit<AnnouncedPort, 'port'>): Announced {
  if (ip === undefined || ipv6 === undefined) return { address: ip };
  return { address: ip, addresses: { ipv4: ip, ipv6 } };
}

/** The kernel's notation (RFC 5952), so that addresses compare as text. IPv4-mapped IPv6 becomes IPv4. */
function canonical(ip: string): string {
  if (isIP(ip) === 4) return ip;
  const parsed = ipaddr.IPv6.parse(ip);
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : parsed.toRFC5952String();
}

function hostName(text: string): boolean {
  // A text that ends in a number is a mistyped address or an old notation of one (0x0, 10.1), never a host.
  if (text.length > 253 || /(^|\.)(\d+|0x[\da-f]*)\.?$/i.test(text)) return false;
  return text.split('.').every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label));
}
