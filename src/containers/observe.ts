import type { Address } from '../addresses/address.ts';
import { type AddressFacts, type AddressWord, chooseAddress } from '../addresses/choose.ts';
import type { Snapshot } from '../docker/snapshot.ts';
import { HeddleError, messageOf } from '../errors.ts';
import type { Cidr } from '../network/engine.ts';
import { dueAddresses } from './due.ts';
import type { RosterEntry } from './entry.ts';

/** The network namespace of a running container. */
export interface ContainerNamespace {
  /** Undefined for a container in the host's own namespace. */
  readonly path: string | undefined;
  readonly inode: number | undefined;
}

export interface ObserverNeeds {
  /** Finds and verifies the namespace; throws HeddleError `not-running` when it is gone. */
  namespaceOf(snapshot: Snapshot): Promise<ContainerNamespace>;
  addressesIn(path: string, snapshot: Snapshot): Promise<readonly Address[]>;
  /** Gives a running container these addresses; undefined where this process may not attach. */
  attach: ((path: string, snapshot: Snapshot, cidrs: readonly Cidr[]) => Promise<void>) | undefined;
  /** Addresses given by `heddle attach`, which the container's own metadata does not tell. */
  claims(container: string): readonly Cidr[];
  bridgeSubnets(): Promise<readonly Cidr[]>;
  hostAddress(): Promise<string | undefined>;
}

/**
 * Looks at one container: sees to it that it has the addresses it is due, reads what it has, and chooses the one it
 * is announced at. Never throws for what is wrong with a container; the entry says it.
 */
export class Observer {
  readonly #needs: ObserverNeeds;
  readonly #policy: readonly AddressWord[];

  constructor(needs: ObserverNeeds, options: { readonly policy: readonly AddressWord[] }) {
    this.#needs = needs;
    this.#policy = options.policy;
  }

  async observe(snapshot: Snapshot): Promise<RosterEntry> {
    const due = dueAddresses(snapshot);
    const wanted = [...due.cidrs, ...this.#needs.claims(snapshot.id)];
    let namespace: ContainerNamespace = { path: undefined, inode: undefined };
    let addresses: readonly Address[] = [];
    let problem = due.problem;
    if (snapshot.pid > 0) {
      try {
        namespace = await this.#needs.namespaceOf(snapshot);
        if (namespace.path !== undefined) {
          addresses = await this.#needs.addressesIn(namespace.path, snapshot);
          if (this.#needs.attach && missing(wanted, addresses).length > 0) {
            await this.#needs.attach(namespace.path, snapshot, wanted);
            addresses = await this.#needs.addressesIn(namespace.path, snapshot);
          }
        }
      } catch (error) {
        // A container that died under our eyes is told of by its own event.
        if (!(error instanceof HeddleError && error.code === 'not-running')) problem = messageOf(error);
      }
    }
    const facts: AddressFacts = {
      snapshot,
      addresses,
      bridgeSubnets: await this.#needs.bridgeSubnets(),
      hostAddress: await this.#needs.hostAddress(),
      hostNetwork: snapshot.networkMode === 'host',
    };
    return {
      snapshot,
      namespace: namespace.inode,
      addresses,
      choice: chooseAddress(this.#policy, facts),
      awaitingAddress: missing(wanted, addresses).length > 0,
      problem,
    };
  }
}

const missing = (wanted: readonly Cidr[], present: readonly Address[]): readonly Cidr[] =>
  wanted.filter((cidr) => !present.some((address) => address.ip === cidr.ip));
