import { HeddleError } from '../errors.ts';
import { isOwnFile, ownFile, type Plan, type Target } from './plan.ts';

/** The addresses at which systemd-resolved answers its host (systemd-resolved.service(8)). */
export const RESOLVED_STUBS: readonly string[] = ['127.0.0.53', '127.0.0.54'];
/** The list of its upstream servers, for programs that bypass it. */
export const RESOLVED_UPLINKS = '/run/systemd/resolve/resolv.conf';

/** The settings files of systemd-resolved (resolved.conf(5)). */
export const RESOLVED_SETTINGS = [
  '/etc/systemd/resolved.conf',
  ...['/etc', '/run', '/usr/local/lib', '/usr/lib'].map((root) => `${root}/systemd/resolved.conf.d/*.conf`),
] as const;

export const RESOLVED_FILE = '/etc/systemd/resolved.conf.d/heddle.conf';
/** systemd-resolved reads its settings only when it starts (as of version 252). */
const RESTART = ['systemctl', 'restart', 'systemd-resolved'] as const;

/**
 * Routes heddle's domains to heddle only. Other names still go to the servers of each link.
 * @param settings every existing file of RESOLVED_SETTINGS, by its path
 */
export function planResolved(settings: ReadonlyMap<string, string>, { address, domains }: Target): Plan {
  for (const [path, text] of settings) {
    if (isOwnFile(text) || !/^\s*DNS\s*=\s*\S/m.test(text)) continue;
    // Global servers form one list, and a domain is routed to the whole list.
    throw new HeddleError(
      'refused',
      `${path} sets DNS= for the whole host, and systemd-resolved would ask those servers for heddle's names too; ` +
        'set them for the link instead (DNS= in its .network file, or in the connection of NetworkManager)',
    );
  }
  const lines = ['[Resolve]', `DNS=${address}`, `Domains=${domains.map((name) => `~${name}`).join(' ')}`];
  const change = { path: RESOLVED_FILE, before: settings.get(RESOLVED_FILE), after: ownFile(lines) };
  return { resolver: 'systemd-resolved', change, command: RESTART };
}

/** Removes the file, if it is heddle's. */
export function undoResolved(text: string | undefined): readonly Plan[] {
  if (!isOwnFile(text)) return [];
  const change = { path: RESOLVED_FILE, before: text, after: undefined };
  return [{ resolver: 'systemd-resolved', change, command: RESTART }];
}
