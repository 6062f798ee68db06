import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { messageOf } from '../../errors.ts';
import { type Family, TAG, type Table } from './rules.ts';

const run = promisify(execFile);
/** The PATH of a cron job or a service often lacks iptables' folders. */
const ENVIRONMENT = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
const TIMEOUT_MS = 10_000;

/** The address families of this host. */
export const families = (): Family[] =>
  existsSync('/proc/net/if_inet6') ? ['iptables', 'ip6tables'] : ['iptables'];

/**
 * The iptables commands that may hold a table of a family, the host's default first. The legacy command is included only
 * if its tables are in use: running it would load them permanently.
 */
export function commands(family: Family, table: Table = 'filter'): string[] {
  const inUse = family === 'iptables' ? '/proc/net/ip_tables_names' : '/proc/net/ip6_tables_names';
  return [family, `${family}-nft`, ...(readOrEmpty(inUse).includes(table) ? [`${family}-legacy`] : [])];
}

/**
 * The legacy command's error if its tables are in use and it cannot read them: it needs NET_RAW for a raw socket.
 * Undefined if the tables are not in use, or can be read.
 */
export async function unreadableLegacy(family: Family): Promise<string | undefined> {
  const legacy = `${family}-legacy`;
  if (!commands(family).includes(legacy)) return undefined;
  return await iptables(legacy, ['-S']).then(() => undefined, reasonOf);
}

/** The command that lists Docker's chains; undefined if Docker has created none. */
export async function commandWithDockersChains(family: Family): Promise<string | undefined> {
  for (const command of commands(family)) if (await succeeds(command, ['-S', 'DOCKER'])) return command;
  return undefined;
}

/**
 * Our rules in a table, as iptables lists them: `-A FORWARD -i weave -o weave … -j ACCEPT`. A rule appears twice if two
 * processes inserted it at the same moment.
 */
export async function taggedRules(command: string, table: Table): Promise<readonly string[]> {
  const tag = ` ${TAG.join(' ')} `;
  const lines = (await iptables(command, ['-t', table, '-S'])).split('\n').map((line) => line.trim());
  return lines.filter((line) => line.startsWith('-A ') && line.includes(tag));
}

/** The arguments that delete a listed rule. Splitting at blanks is safe: no chain or interface name contains any. */
export const deletion = (table: Table, line: string): string[] => [
  '-t',
  table,
  '-D',
  ...line.split(' ').slice(1),
];

/** `-w` waits for the lock of the tables, which another program may hold for a moment. */
export async function iptables(command: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run(command, ['-w', ...args], {
    env: ENVIRONMENT,
    timeout: TIMEOUT_MS,
    maxBuffer: 16 << 20,
  });
  return stdout;
}

export const succeeds = (command: string, args: readonly string[]): Promise<boolean> =>
  iptables(command, args).then(
    () => true,
    () => false,
  );

export function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // the module is not loaded
  }
}

/** iptables' error output, or else why it did not run. */
export function reasonOf(error: unknown): string {
  const { stderr } = error as { stderr?: unknown };
  return typeof stderr === 'string' && stderr.trim() ? stderr.trim() : messageOf(error);
}
