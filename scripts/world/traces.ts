import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** What an engine or a test may leave on the host: lines by kind of trace. */
export type Traces = Readonly<Record<string, readonly string[]>>;

/** The current devices, firewall rules, mounts, control groups, forwarding and files of the host. */
export function hostTraces(): Traces {
  return {
    device: readdirSync('/sys/class/net'),
    address: lines(run('ip', '-o', 'address', 'show')).map((line) => line.replace(/\s+\S+_lft .*/, '')),
    route: lines(run('ip', 'route', 'show')),
    rule: [...rules('iptables-save'), ...rules('ip6tables-save')],
    mount: lines(readFileSync('/proc/mounts', 'utf8')),
    'control group': controlGroups(),
    setting: [`net.ipv4.ip_forward = ${readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim()}`],
    file: [
      '/etc/docker/key.json',
      '/run/docker.sock',
      '/run/docker',
      '/run/heddle',
      '/var/lib/heddle',
    ].filter((path) => existsSync(path)),
  };
}

/** A message for each trace that has appeared or disappeared. */
export function differences(before: Traces, after: Traces): string[] {
  return Object.keys(before).flatMap((kind) => {
    const [was, is] = [before[kind] ?? [], after[kind] ?? []];
    return [
      ...is.filter((trace) => !was.includes(trace)).map((trace) => `${kind} left on the host: ${trace}`),
      ...was.filter((trace) => !is.includes(trace)).map((trace) => `${kind} of the host is gone: ${trace}`),
    ];
  });
}

function rules(program: string): string[] {
  // comments contain dates, and counters of policies change by themselves
  return lines(run(program))
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.replace(/ \[\d+:\d+\]$/, ''));
}

function controlGroups(): string[] {
  const root = '/sys/fs/cgroup';
  const folders = (path: string) =>
    readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => `${path}/${entry.name}`);
  const all = existsSync(root) ? folders(root).flatMap((path) => [path, ...folders(path)]) : [];
  // A world removes its own groups before it ends, or fails; another world may still run.
  return all.filter((path) => !path.includes('/heddle-world-'));
}

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
