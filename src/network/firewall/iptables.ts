import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { messageOf } from '../../errors.ts';
import { type Family, TAG, type Table } from './rules.ts';

const run = promisify(execFile);
/** A cron job's or service's PATH often lacks the folders of iptables. */
const ENVIRONMENT = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
const TIMEOUT_MS = 10_000;

/** Those that this host has. */
export const families = (): Family[] =>
  existsSync('/proc/net/if_inet6') ? ['iptables', 'ip6tables'] : ['iptables'];

/**
 * The iptables commands that may hold a table of a family, the host's default first. The legacy command is asked only
 * where its tables are in use: asking would load them, and they would stay.
 */
export function commands(family: Family, table: Table = 'filter'): string[] {
  const inUse = family === 'iptables' ? '/proc/net/ip_tables_names' : '/proc/net/ip6_tables_names';
  return [family, `${family}-nft`, ...(readOrEmpty(inUse).includes(table) ? [`${family}-legacy`] : [])];
}

/**
 * What the legacy command says where its tables are in use and it cannot read them: it opens a raw socket, for which
 * it needs NET_RAW. Undefined where they are not in use, or can be read.
 */
export async function unreadableLegacy(family: Family): Promise<string | undefined> {
  const legacy = `${family}-legacy`;
  if (!commands(family).includes(legacy)) return undefined;
  return await iptables(legacy, ['-S']).then(() => undefined, reasonOf);
}

/** Undefined as long as Docker has made none. */
export async function commandWithDockersChains(family: Family): Promise<string | undefined> {
  for (const command of commands(family)) if (await succeeds(command, ['-S', 'DOCKER'])) return command;
  return undefined;
}

/**
 * The lines that iptables lists of our rules in a table, `-A FORWARD -i weave -o weave … -j ACCEPT`; one that another
 * process inserted at the same moment comes twice.
 */
export async function taggedRules(command: string, table: Table): Promise<readonly string[]> {
  const tag = ` ${TAG.join(' ')} `;
  const lines = (await iptables(command, ['-t', table, '-S'])).split('\n').map((line) => line.trim());
  return lines.filter((line) => line.startsWith('-A ') && line.includes(tag));
}

/** Names of chains and interfaces hold no blanks, so neither do the words. */
export const deletion = (table: Table, line: string): string[] => [
  '-t',
  table,
  '-D',
  ...line.split(' ').slice(1),
];

/** `-w`: another program may hold the lock of the tables for a moment. */
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

/** What iptables itself said, else why it did not run. */
export function reasonOf(error: unknown): string {
  const { stderr } = error as { stderr?: unknown };
  return typeof stderr === 'string' && stderr.trim() ? stderr.trim() : messageOf(error);
}
