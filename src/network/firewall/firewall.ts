import { HeddleError } from '../../errors.ts';
import type { Logger } from '../../runtime/log.ts';
import { formatCidr } from '../cidr.ts';
import type { Cidr } from '../engine.ts';
import {
  commands,
  commandWithDockersChains,
  deletion,
  families,
  iptables,
  readOrEmpty,
  reasonOf,
  succeeds,
  taggedRules,
  unreadableLegacy,
} from './iptables.ts';
import {
  argumentsFor,
  bridgeRules,
  type Family,
  familyOf,
  isolationRules,
  lineOf,
  masqueradeRules,
  type Rule,
  rulesOf,
  TABLES,
  type Table,
} from './rules.ts';

/** The changes that the engine makes to the host's packet filter. */
export interface Firewall {
  /** Accepts traffic between the bridge's ports, and DNS queries from local containers. */
  ensureRules(): Promise<void>;
  /**
   * Rewrites the source address of packets between these networks and others to the bridge's or the host's. Replies then
   * find their way back, and no peer needs a route.
   */
  masquerade(networks: readonly Cidr[]): Promise<void>;
  /** Stops masquerading these networks; one that is not masqueraded is a success. */
  unmasquerade(networks: readonly Cidr[]): Promise<void>;
  /**
   * Keeps containers of Docker's own networks out of the bridge. A host with an address on the bridge routes to it, and
   * Docker lets its containers reach everything that the host routes to.
   */
  isolate(): Promise<void>;
  /** Removes all of our rules. */
  removeRules(): Promise<void>;
}

/** The current state of a packet filter. */
export interface FilterFacts {
  /** The command that holds Docker's chains: `iptables`, `ip6tables-legacy`, … */
  readonly command: string;
  /** Policies for forwarded packets and for packets to this host: `ACCEPT`, `DROP`. */
  readonly forward: string;
  readonly input: string;
  /** How many of the bridge's rules are missing. */
  readonly missing: number;
  /**
   * Why the legacy tables of this host cannot be read; undefined if Docker's chains were found elsewhere. Rules of
   * heddle in other tables cannot override a DROP in the legacy tables.
   */
  readonly unreadable: string | undefined;
  /** Whether the rules that keep containers from configuring this host are present. */
  readonly guarded: boolean;
}

/**
 * Manages rules with the iptables command that holds Docker's chains. There are two backends, nft and legacy, and every
 * packet passes both: an ACCEPT in one does not undo a DROP in the other. A host without iptables gets a warning, not a
 * failure.
 */
export class IptablesFirewall implements Firewall {
  readonly #log: Logger;
  readonly #rules: readonly Rule[];
  readonly #options: { readonly bridge: string; readonly localBridges: readonly string[] };
  /** The last problem logged for each family: the rules are checked for ever, but a problem is logged once. */
  readonly #loggedProblems = new Map<Family, string>();
  /** Families whose unreadable legacy tables have been logged. */
  readonly #loggedUnreadable = new Set<Family>();
  /** Tables, by command, into which this process has inserted rules. */
  readonly #filled = new Set<string>();
  /** The command that holds Docker's chains, once found. */
  readonly #commands = new Map<Family, string>();
  /** Serializes inserts: two at the same time could both find a rule missing and insert it twice. */
  #lastInsert: Promise<unknown> = Promise.resolve();

  /**
   * @param options.bridge the weave bridge
   * @param options.localBridges other bridges whose containers query our resolver: `docker0`
   */
  constructor(
    needs: { readonly log: Logger },
    options: { readonly bridge: string; readonly localBridges: readonly string[] },
  ) {
    this.#log = needs.log;
    this.#options = options;
    this.#rules = bridgeRules(options.bridge, options.localBridges);
  }

  async ensureRules(): Promise<void> {
    const consequence =
      'containers cannot reach each other if the policy for forwarded packets is DROP, as Docker sets it';
    for (const family of families()) {
      await this.#insert(family, 'filter', rulesOf(this.#rules, family), consequence);
    }
  }

  /** Reads the state of one family's filter. @throws HeddleError `failed` with iptables' error message */
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
    const consequence = 'exposed networks are reachable from this host only';
    for (const family of families()) {
      const rules = networks.filter((network) => familyOf(network) === family).flatMap(masqueradeRules);
      if (rules.length > 0) await this.#insert(family, 'nat', rules, consequence);
    }
  }

  async isolate(): Promise<void> {
    const { bridge, localBridges } = this.#options;
    const rules = isolationRules(bridge, [...localBridges, ...userBridges()]);
    const current = new Set(rules.map(lineOf));
    const consequence = "containers of Docker's own networks can reach exposed networks";
    for (const family of families()) {
      const present = await this.#insert(family, 'mangle', rules, consequence);
      // Docker creates and deletes networks, and each one has its own bridge name.
      for (const line of present.filter((line) => !current.has(line))) {
        await iptables(await this.#command(family), deletion('mangle', line)).catch(() => {}); // already removed
      }
    }
  }

  async unmasquerade(networks: readonly Cidr[]): Promise<void> {
    for (const network of networks) {
      for (const command of commands(familyOf(network), 'nat')) {
        // List first: this runs every few seconds for each unmasqueraded address, and mostly finds no rule.
        for (const line of await taggedRules(command, 'nat').catch(() => [])) {
          if (!line.split(' ').includes(formatCidr(network))) continue;
          await iptables(command, deletion('nat', line)).catch(() => {}); // another process was faster
        }
      }
    }
  }

  /** @returns the lines of our rules that were in the table before */
  #insert(
    family: Family,
    table: Table,
    rules: readonly Rule[],
    consequence: string,
  ): Promise<readonly string[]> {
    const inserted = this.#lastInsert.then(() => this.#insertMissing(family, table, rules, consequence));
    this.#lastInsert = inserted;
    return inserted;
  }

  async #insertMissing(
    family: Family,
    table: Table,
    rules: readonly Rule[],
    consequence: string,
  ): Promise<readonly string[]> {
    try {
      const command = await this.#command(family);
      // This runs every few seconds, so one process lists all rules; further processes start only for missing ones.
      const present = await taggedRules(command, table);
      // Another version of iptables may list a rule differently. A table without any rule of ours has none to find;
      // that is believed once, or a list that is never understood would have the rules inserted for ever.
      const isEmpty = present.length === 0 && !this.#filled.has(`${command} ${table}`);
      // Two networks share some of their rules.
      const wanted = new Map(rules.map((rule) => [lineOf(rule), rule]));
      for (const [line, rule] of wanted) {
        if (present.includes(line)) continue;
        if (!isEmpty && (await succeeds(command, argumentsFor('-C', rule)))) continue;
        await iptables(command, argumentsFor('-I', rule));
        this.#filled.add(`${command} ${table}`);
      }
      return present;
    } catch (error) {
      const problem = reasonOf(error);
      if (this.#loggedProblems.get(family) === problem) return [];
      this.#loggedProblems.set(family, problem);
      this.#log.warn(
        { problem },
        `${family} cannot be used: ${consequence}; install iptables, or give heddle the capability NET_ADMIN`,
      );
      return [];
    }
  }

  async #command(family: Family): Promise<string> {
    const known = this.#commands.get(family) ?? (await commandWithDockersChains(family));
    if (known !== undefined) this.#commands.set(family, known);
    else await this.#warnOfLegacy(family);
    return known ?? family;
  }

  /** Docker's chains were not found: they may be in legacy tables that this process cannot read. */
  async #warnOfLegacy(family: Family): Promise<void> {
    if (this.#loggedUnreadable.has(family)) return;
    const problem = await unreadableLegacy(family);
    if (problem === undefined) return;
    this.#loggedUnreadable.add(family);
    this.#log.warn(
      { problem },
      `${family}-legacy has rules on this host and cannot be used: if Docker's are among them, containers cannot ` +
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

/** Docker's naming scheme for the bridges of user networks. */
const USER_BRIDGE = /^\s*(br-[0-9a-f]{12}):/gm;

const userBridges = (): readonly string[] =>
  Array.from(readOrEmpty('/proc/net/dev').matchAll(USER_BRIDGE), ([, name = '']) => name);
