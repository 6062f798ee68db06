import { existsSync } from 'node:fs';
import { baseImageTar } from '../setup/base-image.mjs';
import { findConsul } from '../setup/consul.mjs';
import { findCurrentDocker, findPodman } from '../setup/engines.mjs';
import { missingParts } from '../setup/machine.mjs';
import { hasResolverPackages } from '../setup/resolver-packages.mjs';

/**
 * Refuses to test if parts are missing, since no test is skipped. Returns the path of the Consul to use.
 * @throws Error that names every missing part
 */
export function requireParts(): string {
  const programs = [
    'dockerd',
    'tini',
    'docker',
    'busybox',
    'ip',
    'iptables',
    'dig',
    'curl',
    'openssl',
    'dnsmasq',
    'unbound',
    'kresd',
  ];
  const missing = missingParts(programs).map((part) => part.about);
  const consul = findConsul();
  if (consul === undefined) missing.push('consul');
  if (!existsSync(baseImageTar())) missing.push(`the base image (${baseImageTar()})`);
  if (!hasResolverPackages()) missing.push('packages of resolvers');
  if (findCurrentDocker() === undefined) missing.push('a current Docker engine');
  if (findPodman() === undefined) missing.push('podman');
  if (process.getuid?.() !== 0) missing.push('root');
  if (consul !== undefined && missing.length === 0) return consul;
  throw new Error(
    `the tests use real parts, and these are missing: ${missing.join(', ')}; npm test sets them up`,
  );
}
