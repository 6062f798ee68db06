import { networkOwner, type Snapshot } from '../docker/snapshot.ts';
import type { Claims } from '../ipam/claims.ts';
import type { Address } from '../network/address.ts';
import { formatCidr } from '../network/cidr.ts';
import type { InterfaceMaker, NetworkEngine } from '../network/engine.ts';
import type { FoundNamespace } from '../network/namespace.ts';
import type { RosterEntry } from '../roster/entry.ts';
import type { Roster } from '../roster/roster.ts';

/** The addresses of a container that count, and those on our interface that it gave itself. */
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
 * Which addresses of our interface in a container were granted. A container with NET_ADMIN gives itself any address,
 * and another one's with it: its name would be answered there, and the other one refused its own.
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
    // Who made the interface is asked only where it matters: most have what they were granted, and no more.
    if (unknown.length === 0 || path === undefined || !this.#needs.roster.complete) {
      return { addresses, ignored: [] };
    }
    const maker = await this.#needs.network.interfaceMaker(path);
    if (maker === undefined || mayHave(maker, granted)) return { addresses, ignored: [] };
    return { addresses: addresses.filter((address) => !unknown.includes(address)), ignored: unknown };
  }

  /** Whether a look would leave something of an entry out, which was made before everything was known. */
  isUnproven({ snapshot, namespace, addresses }: RosterEntry): boolean {
    const granted = this.#grantedIn(snapshot, namespace);
    return addresses.some(({ interface: device, ip }) => device === this.#interface && !granted.has(ip));
  }

  /** What was given to anybody in the container's network. */
  #grantedIn(snapshot: Snapshot, namespace: number | undefined): ReadonlySet<string> {
    const { claims, roster } = this.#needs;
    const sharing = namespace === undefined ? [] : roster.inNamespace(namespace);
    const all = new Set([snapshot.id, networkOwner(snapshot) ?? snapshot.id, ...sharing]);
    const cidrs = [...all].flatMap((each) => claims.of(each) ?? []);
    return new Set(cidrs.map(({ ip }) => ip));
  }
}

/**
 * What the original weave gave, or anybody else who hung the interface into the bridge, counts as it is: nobody but
 * them knows what was granted. So does what a command with `--local` gave, where no daemon has granted anything.
 */
const mayHave = (maker: InterfaceMaker, granted: ReadonlySet<string>): boolean =>
  maker === 'another' || (maker === 'heddle' && granted.size === 0);

/** What is left out, for people. */
export function ignoredProblem({ ignored = [] }: Pick<RosterEntry, 'ignored'>): readonly string[] {
  if (ignored.length === 0) return [];
  const shown = ignored.slice(0, MOST_SHOWN).map(formatCidr).join(', ');
  const more = ignored.length > MOST_SHOWN ? ` and ${ignored.length - MOST_SHOWN} more` : '';
  const device = ignored[0]?.interface;
  return [`${shown}${more} on ${device} was not granted, and counts for nothing: give it with heddle attach`];
}

const MOST_SHOWN = 3;
