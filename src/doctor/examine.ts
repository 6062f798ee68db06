import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ListenerStatus } from '../dns/server/listener.ts';
import type { Snapshot } from '../docker/snapshot.ts';
import { messageOf } from '../errors.ts';
import type { Parts } from '../parts.ts';
import { findCapabilities } from './capabilities.ts';
import { findClock } from './clock.ts';
import { type Finding, ok } from './finding.ts';
import { findFirewalls } from './firewall.ts';
import { findForeignFilters } from './foreign-filters.ts';
import { findKernel } from './kernel.ts';
import { findLinkKinds } from './link-kinds.ts';
import { findListeners } from './listeners.ts';
import { findPort53 } from './port53.ts';

export interface ExamineNeeds {
  readonly parts: Parts;
  readonly running: readonly Snapshot[];
  /** Undefined without a daemon. */
  readonly registry: { readonly name: string; readonly state: string; readonly detail: string } | undefined;
  /** Where the daemon answers DNS; undefined without one. */
  readonly listeners: readonly ListenerStatus[] | undefined;
}

/** Looks at everything heddle stands on. Changes nothing, and never throws. */
export async function examine(needs: ExamineNeeds): Promise<readonly Finding[]> {
  const { parts, running, registry, listeners } = needs;
  const findings = await Promise.all([
    docker(parts),
    readText('/proc/self/status').then((status) => findCapabilities(status ?? '')),
    kernel(),
    bridge(parts),
    findFirewalls(parts),
    findForeignFilters(parts.bridge),
    findLinkKinds(),
    findPort53(parts, running),
  ]);
  return [...findings.flat(), ...findListeners(listeners), ofRegistry(registry)];
}

async function docker({ docker: engine }: Parts): Promise<readonly Finding[]> {
  try {
    const { version, time } = await engine.info();
    return [ok('docker', `Docker ${version} at ${engine.address}`), findClock(time, Date.now())];
  } catch (error) {
    const advice = 'start Docker, or name its engine with DOCKER_HOST';
    return [{ subject: 'docker', state: 'failed', detail: messageOf(error), advice }];
  }
}

async function kernel(): Promise<Finding> {
  const [release, forwarding, bridgeFilter, ipv6] = await Promise.all(
    [
      '/proc/sys/kernel/osrelease',
      '/proc/sys/net/ipv4/ip_forward',
      '/proc/sys/net/bridge/bridge-nf-call-iptables',
      '/proc/net/if_inet6',
    ].map(readText),
  );
  return findKernel({ release, forwarding, bridgeFilter, ipv6, namespaces: existsSync('/proc/self/ns/net') });
}

async function bridge({ network, bridge: name }: Parts): Promise<Finding> {
  const subject = 'bridge';
  try {
    const mac = await network.hostMac(name);
    if (mac === undefined) {
      const advice = 'the first attach makes it, or heddle create-bridge';
      return { subject, state: 'warning', detail: `there is no ${name} yet`, advice };
    }
    const addresses = (await network.hostAddresses(name)).map(({ ip }) => ip);
    return ok(subject, [`${name} is there`, ...addresses].join(', '));
  } catch (error) {
    return { subject, state: 'unknown', detail: messageOf(error), advice: '' };
  }
}

function ofRegistry(registry: ExamineNeeds['registry']): Finding {
  const subject = 'registry';
  if (!registry) {
    return { subject, state: 'unknown', detail: 'no daemon runs', advice: 'start one: heddle daemon' };
  }
  const detail = [registry.name, registry.state, registry.detail].filter(Boolean).join(', ');
  if (registry.state === 'synced' && registry.detail === '') return ok(subject, detail);
  return {
    subject,
    state: registry.state === 'synced' ? 'warning' : 'failed',
    detail,
    advice:
      'is Consul up, does it have a leader, and may the token read and write? see heddle status registry',
  };
}

const readText = (path: string): Promise<string | undefined> =>
  readFile(path, 'latin1').catch(() => undefined);
