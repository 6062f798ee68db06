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

/**
 * Rules by the iptables command that holds Docker's chains (there are two, nft and legacy, and both see every packet:
 * an ACCEPT in one does not undo the other's DROP). A host without iptables gets a warning, not a failure.
 */
export class IptablesFirewall implements Firewall {
  readonly #log: Logger;
  readonly #rules: readonly Rule[];
  readonly #options: { readonly bridge: string; readonly localBridges: readonly string[] };
  /** What the log has been told of each family: the rules are looked after for ever, a problem is said once. */
  readonly #loggedProblems = new Map<Family, string>();
  /** Families whose old tables the log has been told of. */
  readonly #loggedUnreadable = new Set<Family>();
  /** Which command holds Docker's chains, once it has been found. */
  readonly #commands = new Map<Family, string>();
  /** The last rules to be inserted: of two at once that find a rule missing, both would insert it. */
  #lastInsert: Promise<unknown> = Promise.resolve();

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
    this.#rules = bridgeRules(options.bridge, options.localBridges);
  }

  async ensureRules(): Promise<void> {
    const without =
      'where its policy for forwarded packets is DROP, as Docker sets it, containers will not reach each other';
    for (const family of families()) {
      await this.#insert(family, 'filter', rulesOf(this.#rules, family), without);
    }
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
      if (rules.length > 0) await this.#insert(family, 'nat', rules, without);
    }
  }

  async isolate(): Promise<void> {
    const { bridge, localBridges } = this.#options;
    const rules = isolationRules(bridge, [...localBridges, ...userBridges()]);
    const wanted = new Set(rules.map(lineOf));
    const without = "containers of Docker's own networks reach what is exposed";
    for (const family of families()) {
      const present = await this.#insert(family, 'mangle', rules, without);
      // Networks of Docker come and go, each with a name of its own.
      for (const line of present.filter((line) => !wanted.has(line))) {
        await iptables(await this.#command(family), deletion('mangle', line)).catch(() => {}); // gone already
      }
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

  /** @returns the lines of our rules that were in the table before */
  #insert(family: Family, table: Table, rules: readonly Rule[], without: string): Promise<readonly string[]> {
    const inserted = this.#lastInsert.then(() => this.#insertMissing(family, table, rules, without));
    this.#lastInsert = inserted;
    return inserted;
  }

  async #insertMissing(
    family: Family,
    table: Table,
    rules: readonly Rule[],
    without: string,
  ): Promise<readonly string[]> {
    try {
      const command = await this.#command(family);
      // Looked at every few seconds: one process lists them all, and the rest is for a rule that is missing.
      const present = await taggedRules(command, table);
      for (const rule of rules) {
        if (present.includes(lineOf(rule)) || (await succeeds(command, argumentsFor('-C', rule)))) continue;
        await iptables(command, argumentsFor('-I', rule));
      }
      return present;
    } catch (error) {
      const problem = reasonOf(error);
      if (this.#loggedProblems.get(family) === problem) return [];
      this.#loggedProblems.set(family, problem);
      this.#log.warn(
        { problem },
        `${family} cannot be used: ${without}; install iptables, or give heddle the capability NET_ADMIN`,
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

  /** Docker's chains were found nowhere: they may be where this process cannot look. */
  async #warnOfLegacy(family: Family): Promise<void> {
    if (this.#loggedUnreadable.has(family)) return;
    const problem = await unreadableLegacy(family);
    if (problem === undefined) return;
    this.#loggedUnreadable.add(family);
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

/** As Docker calls the bridges of user networks. */
const USER_BRIDGE = /^\s*(br-[0-9a-f]{12}):/gm;

const userBridges = (): readonly string[] =>
  Array.from(readOrEmpty('/proc/net/dev').matchAll(USER_BRIDGE), ([, name = '']) => name);
