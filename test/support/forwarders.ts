import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Upstream } from '../../src/dns/forward/upstreams.ts';
import { dig } from './dig.ts';
import { eventually } from './eventually.ts';

/** Domains, and the servers that each is asked from, in their order. */
export type Domains = ReadonlyMap<string, readonly Upstream[]>;

interface Place {
  /** For the configuration. */
  readonly folder: string;
  readonly port: number;
}

/** The forwarders that Debian has: how each is configured to ask only the given servers for these domains. */
const COMMANDS: Readonly<Record<string, (domains: Domains, place: Place) => readonly string[]>> = {
  dnsmasq(domains, { folder, port }) {
    const servers = linesOf(domains, (domain, { ip, port: at }) => `server=/${domain}/${ip}#${at}`);
    const settings = ['bind-interfaces', 'listen-address=127.0.0.1', 'no-resolv', 'no-hosts', 'cache-size=0'];
    const own = [`port=${port}`, 'user=root', 'pid-file=', 'strict-order'];
    const file = write(folder, 'dnsmasq.conf', [...settings, ...own, ...servers]);
    return ['dnsmasq', '--keep-in-foreground', `-C${file}`];
  },
  unbound(domains, { folder, port }) {
    const zones = Array.from(domains, ([domain, servers]) => [
      'forward-zone:',
      `  name: "${domain}"`,
      ...servers.map(({ ip, port: at }) => `  forward-addr: ${ip}@${at}`),
    ]);
    const file = write(folder, 'unbound.conf', [
      'server:',
      '  interface: 127.0.0.1',
      `  port: ${port}`,
      '  do-daemonize: no',
      '  chroot: ""',
      '  username: ""',
      '  use-syslog: no',
      `  pidfile: "${join(folder, 'unbound.pid')}"`,
      '  module-config: "iterator"',
      '  do-not-query-localhost: no',
      'remote-control:',
      '  control-enable: no',
      ...zones.flat(),
    ]);
    return ['unbound', '-d', '-c', file];
  },
  'Knot Resolver'(domains, { folder, port }) {
    const rules = Array.from(domains, ([domain, servers]) => {
      const list = servers.map(({ ip, port: at }) => `'${ip}@${at}'`).join(', ');
      return `policy.add(policy.suffix(policy.FORWARD({${list}}), policy.todnames({'${domain}.'})))`;
    });
    const settings = ['net.ipv6 = false', "trust_anchors.remove('.')", 'cache.size = 10 * MB'];
    const listen = `net.listen('127.0.0.1', ${port}, { kind = 'dns' })`;
    const file = write(folder, 'kresd.conf', [...settings, listen, ...rules]);
    return ['kresd', '-n', '-c', file, folder];
  },
};

export const FORWARDERS = Object.keys(COMMANDS);

/** A forwarder of Debian's on loopback. */
export interface Forwarder extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
}

/** Starts one, and waits until it has an answer for this name. */
export async function startForwarder(
  name: string,
  domains: Domains,
  { ready, ...place }: Place & { readonly ready: string },
): Promise<Forwarder> {
  const [program = '', ...args] = COMMANDS[name]?.(domains, place) ?? [];
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = `${complaint}${chunk}`.slice(-2_000);
  });
  const isReady = async () => {
    if (child.exitCode !== null) throw new Error(`${name} has ended: ${complaint}`);
    const { answers } = await dig(ready, { port: place.port });
    if (answers.length === 0) throw new Error(`${name} does not answer: ${complaint}`);
  };
  try {
    await eventually(isReady, { within: 60_000, every: 200 });
  } catch (error) {
    await end(child);
    throw error;
  }
  return { name, port: place.port, [Symbol.asyncDispose]: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

function linesOf(domains: Domains, line: (domain: string, server: Upstream) => string): readonly string[] {
  return Array.from(domains, ([domain, servers]) => servers.map((server) => line(domain, server))).flat();
}

function write(folder: string, name: string, lines: readonly string[]): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}
