import { type Finding, ok } from './finding.ts';

/** What the kernel shows in /proc; undefined where a file is missing. */
export interface KernelFacts {
  /** /proc/sys/kernel/osrelease */
  readonly release: string | undefined;
  /** /proc/sys/net/ipv4/ip_forward */
  readonly forwarding: string | undefined;
  /** /proc/sys/net/bridge/bridge-nf-call-iptables; absent while the module is not loaded. */
  readonly bridgeFilter: string | undefined;
  /** /proc/thread-self/net/if_inet6 */
  readonly ipv6: string | undefined;
  readonly namespaces: boolean;
}

export function findKernel({ release, forwarding, bridgeFilter, ipv6, namespaces }: KernelFacts): Finding {
  const subject = 'kernel';
  const features = [
    `Linux ${release?.trim() ?? 'of unknown release'}`,
    ipv6 === undefined ? 'no IPv6' : 'IPv6',
    bridgeFilter?.trim() === '1' ? 'bridged packets pass iptables' : 'bridged packets do not pass iptables',
  ];
  const detail = features.join(', ');
  if (!namespaces) {
    return {
      subject,
      state: 'failed',
      detail: `${detail}, no network namespaces`,
      advice: 'heddle needs a kernel with CONFIG_NET_NS, as Docker does',
    };
  }
  if (forwarding?.trim() === '0') {
    return {
      subject,
      state: 'warning',
      detail: `${detail}, forwarding is off`,
      advice: 'containers reach nothing beyond this host: sysctl -w net.ipv4.ip_forward=1',
    };
  }
  return ok(subject, detail);
}
