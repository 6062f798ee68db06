import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mirrorRefusal } from './apt-source.mjs';
import { baseImageTar } from './base-image.mjs';
import { which } from './command.mjs';
import { findConsul } from './consul.mjs';
import { findCurrentDocker, findPodman } from './engines.mjs';
import { osRelease } from './os-release.mjs';
import { hasResolverPackages } from './resolver-packages.mjs';
import { fail } from './say.mjs';

/** Every required part of the machine: the program that proves its presence, and its Debian package. */
const PARTS = {
  dockerd: { package: 'docker.io', about: 'the Docker engine (dockerd)' },
  docker: { package: 'docker.io', about: 'the Docker client (docker)' },
  busybox: { package: 'busybox-static', about: 'a statically linked busybox' },
  ip: { package: 'iproute2', about: 'ip (iproute2)' },
  iptables: { package: 'iptables', about: 'iptables' },
  dig: { package: 'bind9-dnsutils', about: 'dig' },
  curl: { package: 'curl', about: 'curl' },
  openssl: { package: 'openssl', about: 'openssl' },
  sshd: { package: 'openssh-server', about: 'an ssh server (sshd)' },
  ssh: { package: 'openssh-client', about: 'an ssh client (ssh)' },
  networkctl: { package: 'systemd', about: 'systemd-networkd' },
  nft: { package: 'nftables', about: 'nft (nftables)' },
  ifup: { package: 'ifupdown', about: 'ifupdown (ifup)' },
  tini: { package: 'tini', about: 'tini' },
  dnsmasq: { package: 'dnsmasq-base', about: 'dnsmasq' },
  unbound: { package: 'unbound', about: 'unbound' },
  kresd: { package: 'knot-resolver', about: 'Knot Resolver (kresd)' },
  knotd: { package: 'knot', about: 'Knot DNS (knotd)' },
  dnsperf: { package: 'dnsperf', about: 'dnsperf' },
  cc: { package: 'gcc', about: 'a C compiler (cc)' },
  taskset: { package: 'util-linux', about: 'taskset' },
  debootstrap: { package: 'debootstrap', about: 'debootstrap' },
};

/** Which of these parts this machine lacks. */
export function missingParts(names) {
  return names.filter((name) => !isThere(name)).map((name) => PARTS[name]);
}

function isThere(name) {
  const path = which(name);
  return path !== undefined && (name !== 'busybox' || isStatic(path));
}

/** busybox must be static: its image has no shared libraries. `ldd` fails for a static program. */
function isStatic(path) {
  return spawnSync('ldd', [path], { stdio: 'ignore' }).status !== 0;
}

/** Fails, before anything is changed, on a machine where the set-up cannot succeed; the message says what to do. */
export function requireMachine({ purpose, missing, root, consul, baseImage, resolvers, engines }) {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < 20) fail(`Node ${process.versions.node} is too old: Node 20 or newer is needed`);
  if (process.platform !== 'linux') fail(`this needs Linux (network namespaces), not ${process.platform}`);
  const packages = packagesOf(missing).join(', ');
  if (process.getuid() !== 0 && (root || packages !== '')) {
    const reason = root ? 'network namespaces need root' : 'installing packages needs root';
    const also = packages === '' ? '' : `; it would install from Debian: ${packages}`;
    fail(`${reason}; run it as root, for example: sudo npm run ${purpose}${also}`);
  }
  const wanted = isDebian() ? [] : missing.map((part) => part.about);
  if (consul && findConsul() === undefined && mirrorRefusal() !== undefined) wanted.push('consul');
  if (baseImage && !existsSync(baseImageTar()) && mirrorRefusal() !== undefined) wanted.push(baseImageTar());
  if (resolvers && !hasResolverPackages() && mirrorRefusal() !== undefined)
    wanted.push('packages of resolvers');
  if (
    engines &&
    (findCurrentDocker() === undefined || findPodman() === undefined) &&
    mirrorRefusal() !== undefined
  )
    wanted.push('a current Docker engine and podman, unpacked');
  if (wanted.length === 0) return;
  const reason = isDebian()
    ? mirrorRefusal()
    : `this is ${osRelease().PRETTY_NAME ?? 'an unknown system'}, not Debian`;
  fail(`${reason}: install the missing parts, then run this again: ${wanted.join(', ')}`);
}

function isDebian() {
  return osRelease().ID === 'debian' && which('apt-get') !== undefined;
}

/** Debian's packages for these parts. */
export function packagesOf(missing) {
  return [...new Set(missing.map((part) => part.package))];
}
