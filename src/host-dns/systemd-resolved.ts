import { HeddleError } from '../errors.ts';
import { isOwnFile, ownFile, type Plan, type Target } from './plan.ts';

/** Where systemd-resolved answers its host (systemd-resolved.service(8)). */
export const RESOLVED_STUBS: readonly string[] = ['127.0.0.53', '127.0.0.54'];
/** Its list of the servers behind it, for programs that pass it by. */
export const RESOLVED_UPLINKS = '/run/systemd/resolve/resolv.conf';

/** Where settings of systemd-resolved may stand (resolved.conf(5)). */
export const RESOLVED_SETTINGS = [
  '/etc/systemd/resolved.conf',
  ...['/etc', '/run', '/usr/local/lib', '/usr/lib'].map((root) => `${root}/systemd/resolved.conf.d/*.conf`),
] as const;

export const RESOLVED_FILE = '/etc/systemd/resolved.conf.d/heddle.conf';
/** It reads its settings when it starts, and only then (252). */
const RESTART = ['systemctl', 'restart', 'systemd-resolved'] as const;

/**
 * Our domains are asked from us and from nobody else; all other names from the servers that each link has, as before.
 * @param settings every file of RESOLVED_SETTINGS that there is, by its path
 */
export function planResolved(settings: ReadonlyMap<string, string>, { address, domains }: Target): Plan {
  for (const [path, text] of settings) {
    if (isOwnFile(text) || !/^\s*DNS\s*=\s*\S/m.test(text)) continue;
    // All servers for the whole host are one list, and domains are routed to the list.
    throw new HeddleError(
      'refused',
      `${path} sets DNS= for the whole host, and systemd-resolved would ask those servers for our names, too; ` +
        'give them to the link instead (DNS= in its .network file, or in the connection of NetworkManager)',
    );
  }
  const lines = ['[Resolve]', `DNS=${address}`, `Domains=${domains.map((name) => `~${name}`).join(' ')}`];
  const change = { path: RESOLVED_FILE, before: settings.get(RESOLVED_FILE), after: ownFile(lines) };
  return { resolver: 'systemd-resolved', change, command: RESTART };
}

/** Takes the file away, if it is ours. */
export function undoResolved(text: string | undefined): readonly Plan[] {
  if (!isOwnFile(text)) return [];
  const change = { path: RESOLVED_FILE, before: text, after: undefined };
  return [{ resolver: 'systemd-resolved', change, command: RESTART }];
}
