import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes a server's configuration or zone file into its folder. @returns its path */
export function write(folder: string, name: string, lines: readonly string[]): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

/** The command of a Knot with one worker that serves these records of the zone `consul.`. */
export function knot(folder: string, port: number, records: readonly string[]): readonly string[] {
  write(folder, 'consul.zone', [
    'consul. 0 SOA ns.consul. hostmaster.consul. 1 3600 600 86400 0',
    'consul. 0 NS ns.consul.',
    'ns.consul. 0 A 127.0.0.1',
    ...records,
  ]);
  const file = write(folder, 'knot.conf', [
    'server:',
    `  rundir: "${folder}"`,
    `  listen: 127.0.0.1@${port}`,
    '  udp-workers: 1',
    '  tcp-workers: 1',
    '  background-workers: 1',
    'database:',
    `  storage: "${folder}"`,
    'zone:',
    '  - domain: consul.',
    `    storage: "${folder}"`,
    '    file: consul.zone',
    '    journal-content: none',
  ]);
  return ['knotd', '-c', file];
}

/** The command of a dnsmasq on loopback with these further settings. */
export function dnsmasq(folder: string, port: number, settings: readonly string[]): readonly string[] {
  const file = write(folder, 'dnsmasq.conf', [
    `port=${port}`,
    'listen-address=127.0.0.1',
    'bind-interfaces',
    'no-resolv',
    'no-hosts',
    'cache-size=10000',
    'user=root',
    'pid-file=',
    ...settings,
  ]);
  return ['dnsmasq', '--keep-in-foreground', `-C${file}`];
}

/** The command of an unbound on loopback with one thread, these further settings of the server, and these clauses. */
export function unbound(
  folder: string,
  port: number,
  settings: readonly string[],
  clauses: readonly string[] = [],
): readonly string[] {
  const file = write(folder, 'unbound.conf', [
    'server:',
    '  interface: 127.0.0.1',
    `  port: ${port}`,
    '  num-threads: 1',
    '  do-daemonize: no',
    '  chroot: ""',
    '  username: ""',
    '  use-syslog: no',
    `  pidfile: "${join(folder, 'unbound.pid')}"`,
    '  module-config: "iterator"',
    ...settings.map((setting) => `  ${setting}`),
    'remote-control:',
    '  control-enable: no',
    ...clauses,
  ]);
  return ['unbound', '-d', '-c', file];
}
