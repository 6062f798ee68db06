import { readFile } from 'node:fs/promises';
import type { Parts } from '../containers/parts.ts';
import { type Finding, ok } from './finding.ts';

/** The current protection against containers that configure the host's IPv6. */
export interface RouterAdvertisementFacts {
  readonly bridge: string;
  /** /proc/sys/net/ipv6/conf/BRIDGE/accept_ra; undefined without the device, or without IPv6. */
  readonly accepted: string | undefined;
  /** Whether the packet filter drops them; undefined where it cannot be read. */
  readonly dropped: boolean | undefined;
  /** /proc/thread-self/net/ipv6_route */
  readonly routes: string;
}

const subject = 'router advertisements';

export async function findRouterAdvertisements({
  firewall,
  bridge,
}: Pick<Parts, 'firewall' | 'bridge'>): Promise<readonly Finding[]> {
  const read = (path: string) => readFile(path, 'latin1').catch(() => undefined);
  const accepted = await read(`/proc/sys/net/ipv6/conf/${bridge}/accept_ra`);
  if (accepted === undefined) return [];
  const dropped = await firewall.inspect('ip6tables').then(
    ({ guarded }) => guarded,
    () => undefined,
  );
  const routes = (await read('/proc/thread-self/net/ipv6_route')) ?? '';
  return [routerAdvertisementFinding({ bridge, accepted, dropped, routes })];
}

export function routerAdvertisementFinding(facts: RouterAdvertisementFacts): Finding {
  const { bridge, dropped } = facts;
  if (hasDefaultRoute(facts.routes, bridge)) {
    return {
      subject,
      state: 'failed',
      detail: `the IPv6 default route of this host leads through ${bridge}: a container may have advertised it`,
      advice: `unless you added that route: ip -6 route delete default dev ${bridge}`,
    };
  }
  if (facts.accepted?.trim() === '0') return ok(subject, `${bridge} accepts none`);
  if (dropped) return ok(subject, `${bridge} would accept them, but ip6tables drops them`);
  return {
    subject,
    state: 'failed',
    detail: `${bridge} accepts them, and no rule drops them: a container can change this host's IPv6 default route`,
    advice: `sysctl -w net.ipv6.conf.${bridge}.accept_ra=0, or install ip6tables`,
  };
}

/** Columns: destination, prefix length, source, prefix length, next hop, metric, two counters, flags, device. */
const hasDefaultRoute = (routes: string, device: string): boolean =>
  routes.split('\n').some((line) => {
    const [destination = '', prefixLength, ...rest] = line.trim().split(/\s+/);
    return /^0{32}$/.test(destination) && prefixLength === '00' && rest.at(-1) === device;
  });
