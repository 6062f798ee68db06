import { join } from 'node:path';
import { HeddleError } from '../errors.ts';
import { type Command, isOwnFile, ownFile, type Plan, type Target } from './plan.ts';

export const DNSMASQ_FILE = 'heddle.conf';
/** The settings folder of the dnsmasq that NetworkManager starts. */
const NETWORK_MANAGER_FOLDER = '/etc/NetworkManager/dnsmasq.d/';
/** The usual paths of heddle's file. The command line of a running dnsmasq may set another one. */
export const USUAL_DNSMASQ_FILES = [
  join('/etc/dnsmasq.d', DNSMASQ_FILE),
  join(NETWORK_MANAGER_FOLDER, DNSMASQ_FILE),
];

/** The settings file that dnsmasq reads, from its command line. */
export function settingsFile(commandLine: readonly string[]): string {
  return optionOf(commandLine, '-C', '--conf-file') ?? '/etc/dnsmasq.conf';
}

/** The folder whose files dnsmasq reads, from its command line, else from the text of its settings file. */
export function settingsFolder(commandLine: readonly string[], settings: string): string | undefined {
  const inFile = /^[ \t]*conf-dir[ \t]*=[ \t]*([^\s,]+)/m.exec(settings)?.[1];
  // After the folder, dnsmasq accepts suffixes of file names to include or skip.
  const folder = optionOf(commandLine, '-7', '--conf-dir')?.split(',')[0] ?? inFile;
  return folder?.replace(/\/+$/, '');
}

function optionOf(commandLine: readonly string[], short: string, long: string): string | undefined {
  for (const [index, argument] of commandLine.entries()) {
    if (argument === short || argument === long) return commandLine[index + 1];
    if (argument.startsWith(`${long}=`)) return argument.slice(long.length + 1);
    if (argument.startsWith(short)) return argument.slice(short.length);
  }
  return undefined;
}

/**
 * Routes heddle's domains to heddle. Other names are resolved as before.
 * @param path of heddle's file in the settings folder; undefined where dnsmasq reads no folder
 * @param text of that file, if it exists
 * @param restart the command that restarts a dnsmasq that is a service of its own
 * @throws HeddleError `refused` where heddle cannot add its file
 */
export function planDnsmasq(
  path: string | undefined,
  text: string | undefined,
  { address, domains }: Target,
  restart: Command,
): Plan {
  if (path === undefined) {
    throw new HeddleError(
      'refused',
      'the dnsmasq of this host reads no settings folder; set one (conf-dir=/etc/dnsmasq.d/,*.conf in ' +
        '/etc/dnsmasq.conf), restart dnsmasq, and try again',
    );
  }
  if (text !== undefined && !isOwnFile(text)) {
    throw new HeddleError('refused', `${path} exists, and heddle did not create it; move it away`);
  }
  const lines = [
    ...domains.map((domain) => `server=/${domain}/${address}`),
    // With stop-dns-rebind, dnsmasq accepts private addresses only for these domains.
    `rebind-domain-ok=/${domains.join('/')}/`,
  ];
  return planOf(path, text, ownFile(lines), restart);
}

/** Removes the file, if it is heddle's. */
export function undoDnsmasq(path: string, text: string | undefined, restart: Command): readonly Plan[] {
  return isOwnFile(text) ? [planOf(path, text, undefined, restart)] : [];
}

function planOf(path: string, before: string | undefined, after: string | undefined, restart: Command): Plan {
  const command: Command = path.startsWith(NETWORK_MANAGER_FOLDER)
    ? ['nmcli', 'general', 'reload', 'dns-full']
    : restart;
  return { resolver: 'dnsmasq', change: { path, before, after }, command };
}
