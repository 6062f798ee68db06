import { writeFileSync } from 'node:fs';
import { refuseRedirects } from './netlink/link.ts';
import type { Request } from './netlink/message.ts';

/** Of /proc/sys/net/ipv6/conf/DEVICE; rtnetlink has no attributes for them. */
const IPV6_SETTINGS = ['accept_ra', 'autoconf', 'accept_redirects'] as const;

/**
 * Lets nobody on the other side of a device configure this host: no router advertisement, no address of its own making,
 * no redirect. A container has NET_RAW by default, and one packet of its own would move the host's default route.
 * Where /proc/sys is read-only, as in heddle's own container, the firewall's rules do it alone.
 * @returns what is left to be asked of the kernel
 */
export function hardenDevice({ index, name }: { readonly index: number; readonly name: string }): Request {
  for (const setting of IPV6_SETTINGS) {
    try {
      writeFileSync(`/proc/sys/net/ipv6/conf/${name}/${setting}`, '0');
    } catch {
      break; // read-only, or no IPv6, or the device has gone: the same holds for the others
    }
  }
  return refuseRedirects(index);
}
