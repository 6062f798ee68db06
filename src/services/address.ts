import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Setting } from './environment.ts';
import { shown } from './meta.ts';

/**
 * The address a service is announced at: SERVICE_ADDRESS, else the chosen one. A prefix length and brackets are taken
 * off, because Consul would serve `10.2.1.1/16` as a host name. Undefined when there is none.
 */
export function announcedAddress(
  setting: Setting | undefined,
  chosen: string | undefined,
): { readonly address: string | undefined; readonly problem?: string } {
  if (setting === undefined || setting.value.trim() === '') return { address: chosen };
  const given = setting.value.trim();
  const bare = given.replace(/\/\d{1,3}$/, '').replace(/^\[(.*)\]$/, '$1');
  if (usableIp(bare)) return { address: canonical(bare) };
  if (hostName(bare)) return { address: bare };
  return {
    address: chosen,
    problem: `${setting.variable} ${JSON.stringify(shown(given))} is refused: expected an IP address or a host name`,
  };
}

function usableIp(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%') && !/^(0\.0\.0\.0|[0:]+)$/.test(text);
}

/** The kernel's way of writing it (RFC 5952), by which addresses are found again. */
function canonical(ip: string): string {
  return isIP(ip) === 6 ? ipaddr.IPv6.parse(ip).toRFC5952String() : ip;
}

function hostName(text: string): boolean {
  // What is all digits and dots is a mistyped address, never a host.
  if (text.length > 253 || /^[\d.]+$/.test(text)) return false;
  return text.split('.').every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i.test(label));
}
