import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';

/** What the engine asks of the host's packet filter. */
export interface Firewall {
  /** Lets the bridge's ports talk to each other, and local containers ask for names. */
  ensureRules(): Promise<void>;
  /** Removes every rule of ours. */
  removeRules(): Promise<void>;
}

/** Marks a rule as ours, in every table. */
const TAG = ['-m', 'comment', '--comment', 'heddle'];

type Family = 'iptables' | 'ip6tables';

interface Rule {
  readonly chain: string;
  readonly match: readonly string[];
}

const run = promisify(execFile);
/** A cron job's or service's PATH often lacks the folders of iptables. */
const ENVIRONMENT = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
const TIMEOUT_MS = 10_000;

/**
 * Rules by the iptables command that holds Docker's chains (there are two, nft and legacy, and both see every packet:
 * an ACCEPT in one does not undo the other's DROP). A host without iptables gets a warning, not a failure.
 */
export class IptablesFirewall implements Firewall {
  readonly #log: Logger;
  readonly #rules: readonly Rule[];

  /**
   * @param options.bridge the weave bridge
   * @param options.localBridges others whose containers ask our resolver: `docker0`
   */
  constructor(
    needs: { readonly log: Logger },
    options: { readonly bridge: string; readonly localBridges: readonly string[] },
  ) {
    this.#log = needs.log;
    this.#rules = rulesFor(options.bridge, options.localBridges);
  }

  async ensureRules(): Promise<void> {
    for (const family of families()) {
      try {
        const command = await commandWithDockersChains(family);
        for (const { chain, match } of this.#rules) {
          const rule = [chain, ...match, ...TAG, '-j', 'ACCEPT'];
          if (!(await succeeds(command, ['-C', ...rule]))) await iptables(command, ['-I', ...rule]);
        }
      } catch (error) {
        this.#log.warn(
          { problem: reasonOf(error) },
          `${family} cannot be used: where its policy for forwarded packets is DROP, as Docker sets it, ` +
            'containers will not reach each other; install iptables, or give heddle the capability NET_ADMIN',
        );
      }
    }
  }

  async removeRules(): Promise<void> {
    for (const family of families()) {
      for (const command of commands(family)) {
        try {
          for (const rule of await taggedRules(command)) await iptables(command, rule);
        } catch (error) {
          this.#log.debug({ problem: reasonOf(error) }, `no rules removed by ${command}`);
        }
      }
    }
  }
}

function rulesFor(bridge: string, localBridges: readonly string[]): Rule[] {
  const resolver = [...new Set([...localBridges, bridge])].flatMap((name) =>
    ['udp', 'tcp'].map((protocol) => ({
      chain: 'INPUT',
      match: ['-i', name, '-p', protocol, '--dport', '53'],
    })),
  );
  return [{ chain: 'FORWARD', match: ['-i', bridge, '-o', bridge] }, ...resolver];
}

const families = (): Family[] =>
  existsSync('/proc/net/if_inet6') ? ['iptables', 'ip6tables'] : ['iptables'];

/**
 * The host's default first. The legacy command is asked only where its tables are in use: asking would load them,
 * and they would stay.
 */
function commands(family: Family): string[] {
  const inUse = family === 'iptables' ? '/proc/net/ip_tables_names' : '/proc/net/ip6_tables_names';
  return [family, `${family}-nft`, ...(readOrEmpty(inUse).includes('filter') ? [`${family}-legacy`] : [])];
}

async function commandWithDockersChains(family: Family): Promise<string> {
  for (const command of commands(family)) if (await succeeds(command, ['-S', 'DOCKER'])) return command;
  return family;
}

/** As arguments that delete them; names of chains and interfaces hold no blanks, so neither do the words. */
async function taggedRules(command: string): Promise<string[][]> {
  const tag = ` ${TAG.join(' ')} `;
  return (await iptables(command, ['-S']))
    .split('\n')
    .filter((line) => line.startsWith('-A ') && line.includes(tag))
    .map((line) => ['-D', ...line.trim().split(' ').slice(1)]);
}

/** `-w`: another program may hold the lock of the tables for a moment. */
async function iptables(command: string, words: readonly string[]): Promise<string> {
  const { stdout } = await run(command, ['-w', ...words], {
    env: ENVIRONMENT,
    timeout: TIMEOUT_MS,
    maxBuffer: 16 << 20,
  });
  return stdout;
}

const succeeds = (command: string, words: readonly string[]): Promise<boolean> =>
  iptables(command, words).then(
    () => true,
    () => false,
  );

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // the module is not loaded
  }
}

/** What iptables itself said, else why it did not run. */
function reasonOf(error: unknown): string {
  const { stderr } = error as { stderr?: unknown };
  return typeof stderr === 'string' && stderr.trim() ? stderr.trim() : messageOf(error);
}
