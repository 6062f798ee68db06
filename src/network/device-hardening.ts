import { writeFileSync } from 'node:fs';
import { refuseRedirects } from './netlink/link.ts';
import type { Request } from './netlink/message.ts';

/** Files in /proc/sys/net/ipv6/conf/DEVICE; rtnetlink has no attributes for these settings. */
const IPV6_SETTINGS = ['accept_ra', 'autoconf', 'accept_redirects'] as const;

/**
 * Prevents the peer of a device from configuring this host: router advertisements, address autoconfiguration and
 * redirects are ignored. Containers have NET_RAW by default, and one forged packet could move the host's default route.
 * Where /proc/sys is read-only, as in heddle's own container, only the firewall's rules protect the host.
 * @returns the request for the part that goes through rtnetlink
 */
export function hardenDevice({ index, name }: { readonly index: number; readonly name: string }): Request {
  for (const setting of IPV6_SETTINGS) {
    try {
      writeFileSync(`/proc/sys/net/ipv6/conf/${name}/${setting}`, '0');
    } catch {
      break; // read-only, or no IPv6, or no such device: the other settings would fail the same way
    }
  }
  return refuseRedirects(index);
}
