import { networkOwner, type Snapshot } from '../docker/snapshot.ts';
import { isUnavailable } from '../errors.ts';
import type { Claims } from '../ipam/claims.ts';
import type { Address } from '../network/address.ts';
import { formatCidr } from '../network/cidr.ts';
import type { FoundNamespace } from '../network/container-namespace.ts';
import type { InterfaceMaker, NetworkEngine } from '../network/engine.ts';
import type { RosterEntry } from '../roster/entry.ts';
import type { Roster } from '../roster/roster.ts';

/** The addresses of a container that count, and those on our interface that it assigned itself. */
export interface Counted {
  readonly addresses: readonly Address[];
  readonly ignored: readonly Address[];
}

export interface GrantedNeeds {
  readonly claims: Pick<Claims, 'of'>;
  readonly roster: Pick<Roster, 'inNamespace'> & Readonly<Pick<Roster, 'complete'>>;
  readonly network: Pick<NetworkEngine, 'interfaceMaker'>;
}

/**
 * Decides which addresses on our interface count: those that were granted. A container with NET_ADMIN can assign itself
 * any address, even another container's. Its name would resolve to that address, and the other container be refused it.
 */
export class Granted {
  readonly #needs: GrantedNeeds;
  readonly #interface: string;

  constructor(needs: GrantedNeeds, options: { readonly interface: string }) {
    this.#needs = needs;
    this.#interface = options.interface;
  }

  async counted(
    snapshot: Snapshot,
    { path, inode }: FoundNamespace,
    addresses: readonly Address[],
  ): Promise<Counted> {
    const granted = this.#grantedIn(snapshot, inode);
    const unknown = addresses.filter(
      ({ interface: device, ip }) => device === this.#interface && !granted.has(ip),
    );
    // The maker of the interface is queried only where it matters: most containers have exactly the granted addresses.
    if (unknown.length === 0 || path === undefined || !this.#needs.roster.complete) {
      return { addresses, ignored: [] };
    }
    const maker = await this.#makerOf(path);
    if (maker === undefined || mayHave(maker, granted)) return { addresses, ignored: [] };
    return { addresses: addresses.filter((address) => !unknown.includes(address)), ignored: unknown };
  }

  /**
   * Undefined without an interface, and without permission to see who made it. Such a daemon attaches no container, so
   * another program assigned the addresses.
   */
  async #makerOf(path: string): Promise<InterfaceMaker | undefined> {
    try {
      return await this.#needs.network.interfaceMaker(path);
    } catch (error) {
      if (isUnavailable(error)) return undefined;
      throw error;
    }
  }

  /** Whether the entry, made before the roster was complete, has addresses that a new inspection may ignore. */
  isUnproven({ snapshot, namespace, addresses }: RosterEntry): boolean {
    const granted = this.#grantedIn(snapshot, namespace);
    return addresses.some(({ interface: device, ip }) => device === this.#interface && !granted.has(ip));
  }

  /** What was granted to any container of the same network namespace. */
  #grantedIn(snapshot: Snapshot, namespace: number | undefined): ReadonlySet<string> {
    const { claims, roster } = this.#needs;
    const sharing = namespace === undefined ? [] : roster.inNamespace(namespace);
    const all = new Set([snapshot.id, networkOwner(snapshot) ?? snapshot.id, ...sharing]);
    const cidrs = [...all].flatMap((each) => claims.of(each) ?? []);
    return new Set(cidrs.map(({ ip }) => ip));
  }
}

/**
 * An interface that another program connected to the bridge, as the original weave does, counts as it is: only that
 * program knows what it granted. So does one that a command with `--local` made, where no daemon granted anything.
 */
const mayHave = (maker: InterfaceMaker, granted: ReadonlySet<string>): boolean =>
  maker === 'another' || (maker === 'heddle' && granted.size === 0);

/** Reports the ignored addresses to users. */
export function ignoredProblem({ ignored = [] }: Pick<RosterEntry, 'ignored'>): readonly string[] {
  if (ignored.length === 0) return [];
  const shown = ignored.slice(0, MOST_SHOWN).map(formatCidr).join(', ');
  const more = ignored.length > MOST_SHOWN ? ` and ${ignored.length - MOST_SHOWN} more` : '';
  const device = ignored[0]?.interface;
  return [`${shown}${more} on ${device} was not granted and is ignored: assign it with heddle attach`];
}

const MOST_SHOWN = 3;
