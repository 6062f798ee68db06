import { join } from 'node:path';
import { HeddleError } from '../errors.ts';
import { type Command, isOwnFile, ownFile, type Plan, type Target } from './plan.ts';

export const DNSMASQ_FILE = 'heddle.conf';
/** Of the dnsmasq that NetworkManager starts. */
const NETWORK_MANAGER_FOLDER = '/etc/NetworkManager/dnsmasq.d/';
/** Where the file lies, unless a dnsmasq that runs says otherwise. */
export const USUAL_DNSMASQ_FILES = [
  join('/etc/dnsmasq.d', DNSMASQ_FILE),
  join(NETWORK_MANAGER_FOLDER, DNSMASQ_FILE),
];

/** The settings file that dnsmasq reads, from its command line. */
export function settingsFile(words: readonly string[]): string {
  return optionOf(words, '-C', '--conf-file') ?? '/etc/dnsmasq.conf';
}

/** The folder whose files dnsmasq reads, from its command line or else from the text of its settings file. */
export function settingsFolder(words: readonly string[], settings: string): string | undefined {
  const inFile = /^[ \t]*conf-dir[ \t]*=[ \t]*([^\s,]+)/m.exec(settings)?.[1];
  // Behind the folder stand endings of names, to be read or passed over.
  const folder = optionOf(words, '-7', '--conf-dir')?.split(',')[0] ?? inFile;
  return folder?.replace(/\/+$/, '');
}

function optionOf(words: readonly string[], short: string, long: string): string | undefined {
  for (const [index, word] of words.entries()) {
    if (word === short || word === long) return words[index + 1];
    if (word.startsWith(`${long}=`)) return word.slice(long.length + 1);
    if (word.startsWith(short)) return word.slice(short.length);
  }
  return undefined;
}

/**
 * Our domains are asked from us; all other names as before.
 * @param path of a file in its folder of settings; undefined where it reads none
 * @param text of that file, if it is there
 * @param restart what restarts a dnsmasq that is a service of its own
 * @throws HeddleError `refused` where no file of ours can be put
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
      'the dnsmasq of this host reads no folder of settings; give it one (conf-dir=/etc/dnsmasq.d/,*.conf in ' +
        '/etc/dnsmasq.conf), restart it, and try again',
    );
  }
  if (text !== undefined && !isOwnFile(text)) {
    throw new HeddleError('refused', `${path} is there, and not of heddle's making; move it away`);
  }
  const lines = [
    ...domains.map((domain) => `server=/${domain}/${address}`),
    // With stop-dns-rebind, addresses of private networks are believed of nobody else.
    `rebind-domain-ok=/${domains.join('/')}/`,
  ];
  return planOf(path, text, ownFile(lines), restart);
}

/** Takes the file away, if it is ours. */
export function undoDnsmasq(path: string, text: string | undefined, restart: Command): readonly Plan[] {
  return isOwnFile(text) ? [planOf(path, text, undefined, restart)] : [];
}

function planOf(path: string, before: string | undefined, after: string | undefined, restart: Command): Plan {
  const command: Command = path.startsWith(NETWORK_MANAGER_FOLDER)
    ? ['nmcli', 'general', 'reload', 'dns-full']
    : restart;
  return { resolver: 'dnsmasq', change: { path, before, after }, command };
}
