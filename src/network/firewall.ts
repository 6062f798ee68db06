import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { HeddleError, messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import { formatCidr, networkOf } from './cidr.ts';
import type { Cidr } from './engine.ts';
import { HOST_ENDS } from './host-end.ts';

/** What the engine asks of the host's packet filter. */
export interface Firewall {
  /** Lets the bridge's ports talk to each other, and local containers ask for names. */
  ensureRules(): Promise<void>;
  /**
   * Gives what passes between these networks and any other the bridge's address, or the host's: then answers come
   * back, and nobody needs a route.
   */
  masquerade(networks: readonly Cidr[]): Promise<void>;
  /** No longer; what is not masqueraded is a success. */
  unmasquerade(networks: readonly Cidr[]): Promise<void>;
  /**
   * Keeps containers of Docker's own networks out of the bridge: once the host has an address there it is a way, and
   * Docker lets its containers go wherever the host goes.
   */
  isolate(): Promise<void>;
  /** Removes every rule of ours. */
  removeRules(): Promise<void>;
}

/** Marks a rule as ours, in every table. */
const TAG = ['-m', 'comment', '--comment', 'heddle'];

export type Family = 'iptables' | 'ip6tables';

/** A packet filter as it stands. */
export interface FilterFacts {
  /** `iptables`, `ip6tables-legacy`: the one that holds Docker's chains. */
  readonly command: string;
  /** Policies for forwarded packets and for those to this host: `ACCEPT`, `DROP`. */
  readonly forward: string;
  readonly input: string;
  /** How many of the rules that a bridge needs are not there. */
  readonly missing: number;
  /**
   * Why iptables' legacy tables, which are in use here, cannot be read; undefined where Docker's chains were found
   * elsewhere. Rules of heddle in other tables do nothing against a DROP there.
   */
  readonly unreadable: string | undefined;
  /** Whether the rules stand that keep containers from configuring this host. */
  readonly guarded: boolean;
}

const TABLES = ['filter', 'nat', 'mangle'] as const;
type Table = (typeof TABLES)[number];

interface Rule {
  /** Of one family alone; of both without. */
  readonly family?: Family;
  readonly table: Table;
  readonly chain: string;
  readonly match: readonly string[];
  readonly target: string;
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
  readonly #options: { readonly bridge: string; readonly localBridges: readonly string[] };
  /** What the log has been told of each family: the rules are looked after for ever, a problem is said once. */
  readonly #said = new Map<Family, string>();
  /** Families whose old tables the log has been told of. */
  readonly #saidUnreadable = new Set<Family>();
  /** Which command holds Docker's chains, once it has been found. */
  readonly #commands = new Map<Family, string>();
  /** The last rules to be inserted: of two at once that find a rule missing, both would insert it. */
  #inserted: Promise<void> = Promise.resolve();

  /**
   * @param options.bridge the weave bridge
   * @param options.localBridges others whose containers ask our resolver: `docker0`
   */
  constructor(
    needs: { readonly log: Logger },
    options: { readonly bridge: string; readonly localBridges: readonly string[] },
  ) {
    this.#log = needs.log;
    this.#options = options;
    this.#rules = rulesFor(options.bridge, options.localBridges);
  }

  async ensureRules(): Promise<void> {
    const without =
      'where its policy for forwarded packets is DROP, as Docker sets it, containers will not reach each other';
    for (const family of families()) await this.#insert(family, rulesOf(this.#rules, family), without);
  }

  /** What the filter of one family is, for people. @throws HeddleError `failed` with iptables' words */
  async inspect(family: Family): Promise<FilterFacts> {
    try {
      const command = await this.#command(family);
      const rules = await iptables(command, ['-S']);
      const policy = (chain: string) => new RegExp(`^-P ${chain} (\\S+)`, 'm').exec(rules)?.[1] ?? 'unknown';
      const present = new Set(await taggedRules(command, 'filter'));
      const missing = rulesOf(this.#rules, family).filter((rule) => !present.has(lineOf(rule)));
      return {
        command,
        forward: policy('FORWARD'),
        input: policy('INPUT'),
        missing: missing.length,
        guarded: !missing.some(({ target }) => target === 'DROP'),
        unreadable: this.#commands.has(family) ? undefined : await unreadableLegacy(family),
      };
    } catch (cause) {
      throw new HeddleError('failed', `${family} cannot be used: ${reasonOf(cause)}`, { cause });
    }
  }

  async masquerade(networks: readonly Cidr[]): Promise<void> {
    const without = 'what is exposed is reached from this host alone';
    for (const family of families()) {
      const rules = networks.filter((network) => familyOf(network) === family).flatMap(masqueradeRules);
      if (rules.length > 0) await this.#insert(family, rules, without);
    }
  }

  async isolate(): Promise<void> {
    const { bridge, localBridges } = this.#options;
    const rules = isolation(bridge, [...localBridges, ...userBridges()]);
    const without = "containers of Docker's own networks reach what is exposed";
    for (const family of families()) {
      await this.#insert(family, rules, without);
      await this.#forgetBridges(family, rules);
    }
  }

  /** Networks of Docker come and go, each with a name of its own. */
  async #forgetBridges(family: Family, rules: readonly Rule[]): Promise<void> {
    const wanted = new Set(rules.map(lineOf));
    const command = await this.#command(family);
    for (const line of await taggedRules(command, 'mangle').catch(() => [])) {
      if (!wanted.has(line)) await iptables(command, deletion('mangle', line)).catch(() => {}); // gone already
    }
  }

  async unmasquerade(networks: readonly Cidr[]): Promise<void> {
    for (const network of networks) {
      for (const command of commands(familyOf(network), 'nat')) {
        // Listed first: for an address that is not masqueraded it is done every few seconds, mostly in vain.
        for (const line of await taggedRules(command, 'nat').catch(() => [])) {
          if (!line.split(' ').includes(formatCidr(network))) continue;
          await iptables(command, deletion('nat', line)).catch(() => {}); // somebody else was faster
        }
      }
    }
  }

  #insert(family: Family, rules: readonly Rule[], without: string): Promise<void> {
    this.#inserted = this.#inserted.then(() => this.#insertMissing(family, rules, without));
    return this.#inserted;
  }

  async #insertMissing(family: Family, rules: readonly Rule[], without: string): Promise<void> {
    try {
      const command = await this.#command(family);
      // Looked at every few seconds: one process lists them all, and the rest is for a rule that is missing.
      const present = new Set(await taggedRules(command, rules[0]?.table ?? 'filter'));
      for (const rule of rules) {
        if (present.has(lineOf(rule)) || (await succeeds(command, words('-C', rule)))) continue;
        await iptables(command, words('-I', rule));
      }
    } catch (error) {
      const problem = reasonOf(error);
      if (this.#said.get(family) === problem) return;
      this.#said.set(family, problem);
      this.#log.warn(
        { problem },
        `${family} cannot be used: ${without}; install iptables, or give heddle the capability NET_ADMIN`,
      );
    }
  }

  async #command(family: Family): Promise<string> {
    const known = this.#commands.get(family) ?? (await commandWithDockersChains(family));
    if (known !== undefined) this.#commands.set(family, known);
    else await this.#warnOfLegacy(family);
    return known ?? family;
  }

  /** Docker's chains were found nowhere: they may be where this process cannot look. */
  async #warnOfLegacy(family: Family): Promise<void> {
    if (this.#saidUnreadable.has(family)) return;
    const problem = await unreadableLegacy(family);
    if (problem === undefined) return;
    this.#saidUnreadable.add(family);
    this.#log.warn(
      { problem },
      `${family}-legacy has rules on this host and cannot be used: if Docker's are among them, containers will not ` +
        'reach each other; give heddle the capability NET_RAW',
    );
  }

  async removeRules(): Promise<void> {
    for (const [family, table] of families().flatMap((each) =>
      TABLES.map((table) => [each, table] as const),
    )) {
      for (const command of commands(family, table)) {
        try {
          for (const line of await taggedRules(command, table))
            await iptables(command, deletion(table, line));
        } catch (error) {
          this.#log.debug({ problem: reasonOf(error) }, `no rules removed by ${command}`);
        }
      }
    }
  }
}

const familyOf = ({ family }: Cidr): Family => (family === 4 ? 'iptables' : 'ip6tables');

function rulesFor(bridge: string, localBridges: readonly string[]): Rule[] {
  const accept = (chain: string, ...match: string[]): Rule => ({
    table: 'filter',
    chain,
    match,
    target: 'ACCEPT',
  });
  const resolver = [...new Set([...localBridges, bridge])].flatMap((name) =>
    ['udp', 'tcp'].map((protocol) =>
      accept('INPUT', '-i', name, '-p', protocol, '-m', protocol, '--dport', '53'),
    ),
  );
  return [accept('FORWARD', '-i', bridge, '-o', bridge), ...resolver, ...[bridge, HOST_ENDS].flatMap(guards)];
}

/** As Docker calls the bridges of user networks. */
const USER_BRIDGE = /^\s*(br-[0-9a-f]{12}):/gm;

const userBridges = (): readonly string[] =>
  Array.from(readOrEmpty('/proc/net/dev').matchAll(USER_BRIDGE), ([, name = '']) => name);

/** In a table that packets pass before the filter, because Docker puts rules that accept before ours there. */
const isolation = (bridge: string, others: readonly string[]): readonly Rule[] =>
  [...new Set(others)]
    .filter((name) => name !== bridge)
    .map((name) => ({
      table: 'mangle',
      chain: 'FORWARD',
      match: ['-i', name, '-o', bridge],
      target: 'DROP',
    }));

/** linux/icmp.h, linux/icmpv6.h */
const REDIRECT = '5';
const ROUTER_ADVERTISEMENT = '134';
const REDIRECT6 = '137';

/**
 * What comes from a container configures no route of this host. Where /proc/sys can be written the device takes
 * nothing of it anyway (unrouted.ts); in a container it cannot, and these rules do it alone.
 */
function guards(device: string): Rule[] {
  const drop = (family: Family, ...match: string[]): Rule => ({
    family,
    table: 'filter',
    chain: 'INPUT',
    match: ['-i', device, ...match],
    target: 'DROP',
  });
  const drop6 = (type: string) => drop('ip6tables', '-p', 'ipv6-icmp', '-m', 'icmp6', '--icmpv6-type', type);
  return [
    drop('iptables', '-p', 'icmp', '-m', 'icmp', '--icmp-type', REDIRECT),
    drop6(ROUTER_ADVERTISEMENT),
    drop6(REDIRECT6),
  ];
}

const rulesOf = (rules: readonly Rule[], family: Family): readonly Rule[] =>
  rules.filter((rule) => rule.family === undefined || rule.family === family);

/**
 * By addresses and not by the bridge, as weave did before 1.0: rules by the bridge catch a tunnel's own packets and
 * send them round in a loop. Multicast stays as it is. Each is inserted before the one above it.
 */
function masqueradeRules(network: Cidr): Rule[] {
  const net = formatCidr(networkOf(network));
  const multicast = network.family === 4 ? '224.0.0.0/4' : 'ff00::/8';
  const rule = (target: string, ...match: string[]): Rule => ({
    table: 'nat',
    chain: 'POSTROUTING',
    match,
    target,
  });
  return [
    rule('MASQUERADE', '!', '-s', net, '-d', net),
    rule('MASQUERADE', '-s', net, '!', '-d', net),
    rule('RETURN', '-s', net, '-d', multicast),
  ];
}

const words = (action: '-C' | '-I', { table, chain, match, target }: Rule): string[] => [
  ...['-t', table, action, chain],
  ...[...match, ...TAG, '-j', target],
];

/** As iptables lists it, which is why rules are written with every word that it would add. */
const lineOf = ({ chain, match, target }: Rule): string =>
  ['-A', chain, ...match, ...TAG, '-j', target].join(' ');

export const families = (): Family[] =>
  existsSync('/proc/net/if_inet6') ? ['iptables', 'ip6tables'] : ['iptables'];

/**
 * The host's default first. The legacy command is asked only where its tables are in use: asking would load them,
 * and they would stay.
 */
function commands(family: Family, table: Table = 'filter'): string[] {
  const inUse = family === 'iptables' ? '/proc/net/ip_tables_names' : '/proc/net/ip6_tables_names';
  return [family, `${family}-nft`, ...(readOrEmpty(inUse).includes(table) ? [`${family}-legacy`] : [])];
}

/**
 * What the legacy command says where its tables are in use and it cannot read them: it opens a raw socket, for which
 * it needs NET_RAW. Undefined where they are not in use, or can be read.
 */
async function unreadableLegacy(family: Family): Promise<string | undefined> {
  const legacy = `${family}-legacy`;
  if (!commands(family).includes(legacy)) return undefined;
  return await iptables(legacy, ['-S']).then(() => undefined, reasonOf);
}

/** Undefined as long as Docker has made none. */
async function commandWithDockersChains(family: Family): Promise<string | undefined> {
  for (const command of commands(family)) if (await succeeds(command, ['-S', 'DOCKER'])) return command;
  return undefined;
}

/**
 * The lines that iptables lists of our rules in a table, `-A FORWARD -i weave -o weave … -j ACCEPT`; one that another
 * process inserted at the same moment comes twice.
 */
async function taggedRules(command: string, table: Table): Promise<readonly string[]> {
  const tag = ` ${TAG.join(' ')} `;
  const lines = (await iptables(command, ['-t', table, '-S'])).split('\n').map((line) => line.trim());
  return lines.filter((line) => line.startsWith('-A ') && line.includes(tag));
}

/** Names of chains and interfaces hold no blanks, so neither do the words. */
const deletion = (table: Table, line: string): string[] => ['-t', table, '-D', ...line.split(' ').slice(1)];

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
