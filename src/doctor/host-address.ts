import type { HostAddress } from '../addresses/announced-host.ts';
import { type Finding, ok } from './finding.ts';

/** Whether published ports can be announced: other hosts need an address of this host for them. */
export function findHostAddress(host: HostAddress | undefined): Finding {
  const subject = 'host address';
  if (host !== undefined)
    return ok(subject, `published ports are announced at ${host.ip}, by ${host.origin}`);
  const detail =
    "the host's address is unknown: there is no default route, and Consul's agent advertises no address of this host";
  return {
    subject,
    state: 'warning',
    detail: `${detail}; published ports and containers in the host's network are not announced`,
    advice: 'set --ip ADDRESS, the address at which other hosts reach this one',
  };
}
