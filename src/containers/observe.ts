import type { HostAddress } from '../addresses/announced-host.ts';
import { type AddressFacts, chooseAddress } from '../addresses/choose.ts';
import type { PolicyTerm } from '../addresses/policy.ts';
import type { Snapshot } from '../docker/snapshot.ts';
import { HeddleError, messageOf } from '../errors.ts';
import type { Place, Wanted } from '../ipam/addressing.ts';
import { requestedAddresses } from '../ipam/requested.ts';
import type { Address } from '../network/address.ts';
import type { Cidr } from '../network/engine.ts';
import { type FoundNamespace, hostNetwork } from '../network/namespace.ts';
import type { RosterEntry } from '../roster/entry.ts';
import type { AttachOptions } from '../state/attach-options.ts';
import type { Counted } from './granted.ts';
import { type StaleSharers, staleSharerProblem } from './stale-sharers.ts';

export interface ObserverNeeds {
  /** Finds and verifies the namespace; throws HeddleError `not-running` when it is gone. */
  namespaceOf(snapshot: Snapshot): Promise<FoundNamespace>;
  addressesIn(path: string, container: string): Promise<readonly Address[]>;
  /** Those of its addresses that count. */
  counted(snapshot: Snapshot, namespace: FoundNamespace, addresses: readonly Address[]): Promise<Counted>;
  /** Gives a running container these addresses; undefined where this process may not attach. */
  attach: ((path: string, snapshot: Snapshot, cidrs: readonly Cidr[]) => Promise<void>) | undefined;
  /** What was chosen of how a container is attached. */
  optionsOf(container: string): AttachOptions;
  /** Takes off what the container has given up and still has. */
  leave(path: string, snapshot: Snapshot): Promise<void>;
  /** The addresses that a running container should have. */
  wanted(snapshot: Snapshot, place: Place): Promise<Wanted>;
  readonly stranded: Pick<StaleSharers, 'leftBy' | 'clear'>;
  /** Told what a running container has, when it has what it wants. */
  found(snapshot: Snapshot, addresses: readonly Address[]): Promise<void>;
  bridgeSubnets(): Promise<readonly Cidr[]>;
  /** At which other hosts reach this one, as far as this container can tell. */
  hostAddress(snapshot: Snapshot): Promise<HostAddress | undefined>;
}

/**
 * Looks at one container: sees to it that it has the addresses it is due, reads what it has, and chooses the one it
 * is announced at. Never throws for what is wrong with a container; the entry says it.
 */
export class Observer {
  readonly #needs: ObserverNeeds;
  readonly #policy: readonly PolicyTerm[];
  /** Whether the processes of containers can be found from here at all. */
  #seesProcesses = false;

  constructor(needs: ObserverNeeds, options: { readonly policy: readonly PolicyTerm[] }) {
    this.#needs = needs;
    this.#policy = options.policy;
  }

  async observe(snapshot: Snapshot): Promise<RosterEntry> {
    let wanted = NOTHING_WANTED;
    let namespace: FoundNamespace = { path: undefined, inode: undefined };
    let addresses: readonly Address[] = [];
    let ignored: readonly Address[] = [];
    const read = (path: string) => this.#needs.addressesIn(path, snapshot.id);
    const count = async (all: readonly Address[]) => {
      ({ addresses, ignored } = await this.#needs.counted(snapshot, namespace, all));
    };
    let problem: string | undefined;
    let ended = false;
    if (snapshot.pid > 0) {
      try {
        namespace = await this.#needs.namespaceOf(snapshot);
        this.#seesProcesses = true;
        if (namespace.path !== undefined) await this.#needs.leave(namespace.path, snapshot);
        const owner = await this.#needs.stranded.leftBy(snapshot, namespace.inode);
        if (namespace.path !== undefined && owner !== undefined) {
          problem = staleSharerProblem(owner);
          if (this.#needs.attach) await this.#needs.stranded.clear(snapshot, namespace.path, owner);
          await count(await read(namespace.path));
        } else if (namespace.path !== undefined) {
          const before = read(namespace.path);
          // What it wants is known all the same where nothing can be read.
          const found = await before.catch(() => undefined);
          wanted = await this.#needs.wanted(snapshot, { ...namespace, addresses: found });
          problem = wanted.problem;
          await count(await before);
          // The route of one that has its addresses may have been left by a kill: it is seen to each time.
          const isWithoutRoute = this.#needs.optionsOf(snapshot.id).multicastRoute === false;
          if (this.#needs.attach && (isWithoutRoute || missing(wanted.cidrs, addresses).length > 0)) {
            await this.#needs.attach(namespace.path, snapshot, wanted.cidrs);
            await count(await read(namespace.path));
          }
          await this.#needs.found(snapshot, addresses);
        } else if (requestedAddresses(snapshot).requests.length > 0) {
          problem = hostNetwork().message;
        }
      } catch (error) {
        // A container that died under our eyes is told of by its own event, and announced at no other address until then.
        if (error instanceof HeddleError && error.code === 'not-running') ended = this.#seesProcesses;
        else problem = messageOf(error);
      }
    }
    const facts: AddressFacts = {
      snapshot,
      addresses,
      bridgeSubnets: () => this.#needs.bridgeSubnets(),
      hostAddress: () => this.#needs.hostAddress(snapshot),
      hostNetwork: snapshot.networkMode === 'host',
    };
    return {
      snapshot,
      namespace: namespace.inode,
      addresses,
      ...(ignored.length > 0 && { ignored }),
      choice: await chooseAddress(this.#policy, facts),
      awaitingAddress: ended || wanted.refused || missing(wanted.cidrs, addresses).length > 0,
      problem,
    };
  }
}

const NOTHING_WANTED: Wanted = { cidrs: [], problem: undefined, refused: false };

const missing = (wanted: readonly Cidr[], present: readonly Address[]): readonly Cidr[] =>
  wanted.filter((cidr) => !present.some((address) => address.ip === cidr.ip));
