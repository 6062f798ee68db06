import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Parts } from '../containers/parts.ts';
import type { ListenerStatus } from '../dns/server/listener.ts';
import type { Snapshot } from '../docker/snapshot.ts';
import { messageOf } from '../errors.ts';
import { findCapabilities } from './capabilities.ts';
import { findClock } from './clock.ts';
import { findDirectRouting } from './direct-routing.ts';
import { type Finding, ok } from './finding.ts';
import { findFirewalls } from './firewall.ts';
import { findForeignFilters } from './foreign-filters.ts';
import { findHostAddress } from './host-address.ts';
import { findKernel } from './kernel.ts';
import { findLinkKinds } from './link-kinds.ts';
import { findListeners } from './listeners.ts';
import { findOverlaps } from './overlap.ts';
import { findPort53 } from './port53.ts';
import { findRouterAdvertisements } from './router-advertisements.ts';

export interface ExamineNeeds {
  readonly parts: Parts;
  readonly running: readonly Snapshot[];
  /** The findings about the registry; never rejects. */
  registry(): Promise<readonly Finding[]>;
  /** Where the daemon answers DNS; undefined without a daemon. */
  readonly listeners: readonly ListenerStatus[] | undefined;
  /** True when the engine is on another host, whose kernel this process cannot examine. */
  readonly isRemoteEngine?: boolean;
}

/** Examines everything that heddle depends on. Changes nothing, and never throws. */
export async function examine(needs: ExamineNeeds): Promise<readonly Finding[]> {
  const { parts, running, registry, listeners } = needs;
  if (needs.isRemoteEngine) {
    return [...(await docker(parts)), remoteHostFinding(parts), ...(await registry())];
  }
  const findings = await Promise.all([
    docker(parts),
    readText('/proc/self/status').then((status) =>
      findCapabilities(status ?? '', { serves: listeners !== undefined }),
    ),
    kernel(),
    bridge(parts),
    parts.hostAddress().then(findHostAddress),
    findFirewalls(parts),
    findForeignFilters(parts.bridge),
    findRouterAdvertisements(parts),
    findOverlaps(parts),
    findLinkKinds(),
    findPort53(parts, running),
    registry(),
  ]);
  return [...findings.flat(), ...findListeners(listeners)];
}

function remoteHostFinding({ docker: engine }: Parts): Finding {
  return {
    subject: 'host',
    state: 'unknown',
    detail: `no heddle on the host of ${engine.address} can examine its kernel, devices, firewalls and bridge`,
    advice: 'start one with heddle launch --load, then repeat this command',
  };
}

async function docker({ docker: engine, announcing }: Parts): Promise<readonly Finding[]> {
  try {
    const { version, time, maker } = await engine.info();
    return [
      ok(
        'docker',
        `${maker === 'podman' ? "podman, which speaks Docker's API," : 'Docker'} ${version} at ${engine.address}`,
      ),
      findClock('clock', "the Docker engine's", time, Date.now()),
      ...findDirectRouting({ version, maker }, announcing),
    ];
  } catch (error) {
    const advice = 'start Docker, or set its address in DOCKER_HOST';
    return [{ subject: 'docker', state: 'failed', detail: messageOf(error), advice }];
  }
}

async function kernel(): Promise<Finding> {
  const [release, forwarding, bridgeFilter, ipv6] = await Promise.all(
    [
      '/proc/sys/kernel/osrelease',
      '/proc/sys/net/ipv4/ip_forward',
      '/proc/sys/net/bridge/bridge-nf-call-iptables',
      '/proc/thread-self/net/if_inet6',
    ].map(readText),
  );
  return findKernel({ release, forwarding, bridgeFilter, ipv6, namespaces: existsSync('/proc/self/ns/net') });
}

async function bridge({ network, bridge: name }: Parts): Promise<Finding> {
  const subject = 'bridge';
  try {
    const mac = await network.hostMac(name);
    if (mac === undefined) {
      const advice = 'the first attach creates it, or heddle create-bridge';
      return { subject, state: 'warning', detail: `there is no ${name} yet`, advice };
    }
    const addresses = (await network.hostAddresses(name)).map(({ ip }) => ip);
    return ok(subject, [`${name} exists`, ...addresses].join(', '));
  } catch (error) {
    return { subject, state: 'unknown', detail: messageOf(error), advice: '' };
  }
}

const readText = (path: string): Promise<string | undefined> =>
  readFile(path, 'latin1').catch(() => undefined);
