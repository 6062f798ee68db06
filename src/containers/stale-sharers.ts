import type { Docker } from '../docker/engine.ts';
import { networkOwner, type Snapshot, shortId } from '../docker/snapshot.ts';
import { hasCode } from '../errors.ts';
import type { Claims } from '../ipam/claims.ts';
import type { FoundNamespace } from '../network/container-namespace.ts';
import type { Cidr, NetworkEngine } from '../network/engine.ts';
import type { Roster } from '../roster/roster.ts';

export interface StaleSharersNeeds {
  readonly roster: Pick<Roster, 'entries'>;
  readonly claims: Pick<Claims, 'of'>;
  readonly docker: Pick<Docker, 'inspect'>;
  namespaceOf(snapshot: Snapshot): Promise<FoundNamespace>;
  readonly network: Pick<NetworkEngine, 'detach'>;
}

/**
 * Containers that shared the network namespace of another one (`--net=container:web`) before it was restarted. Docker
 * gives web a new namespace, removes its own addresses from the old one, and leaves the sharer there. We remove ours as
 * well, or an address would be in both.
 */
export class StaleSharers {
  readonly #needs: StaleSharersNeeds;

  constructor(needs: StaleSharersNeeds) {
    this.#needs = needs;
  }

  /** Removes addresses that a container is about to get from namespaces that it has left. */
  async release(owner: Snapshot, cidrs: readonly Cidr[]): Promise<void> {
    const requested = new Set(cidrs.map(({ ip }) => ip));
    const sharers = [...this.#needs.roster.entries()].filter(
      ({ snapshot, addresses }) =>
        snapshot.id !== owner.id &&
        networkOwner(snapshot) !== undefined &&
        addresses.some(({ ip }) => requested.has(ip)),
    );
    if (sharers.length === 0) return;
    const { inode } = await this.#needs.namespaceOf(owner);
    for (const { snapshot } of sharers) {
      const left = await this.#otherNamespace(snapshot, inode);
      if (left !== undefined)
        await this.#needs.network.detach({ nsPath: left, container: snapshot.id }, cidrs);
    }
  }

  /** The container whose namespace this one shared, if that container now runs in another namespace. */
  async leftBy(sharer: Snapshot, namespace: number | undefined): Promise<Snapshot | undefined> {
    const shared = networkOwner(sharer);
    if (shared === undefined) return undefined;
    const owner = await this.#needs.docker.inspect(shared);
    if (owner === undefined || owner.pid === 0) return undefined;
    return (await this.#otherNamespace(owner, namespace)) === undefined ? undefined : owner;
  }

  /** Removes the owner's addresses from a sharer that is still in the owner's old namespace. */
  async clear(sharer: Snapshot, nsPath: string, owner: Snapshot): Promise<void> {
    const cidrs = this.#needs.claims.of(owner.id) ?? [];
    await this.#needs.network.detach({ nsPath, container: sharer.id }, cidrs);
  }

  /** Path of the container's namespace; undefined if the container has ended or is in `namespace`. */
  async #otherNamespace(snapshot: Snapshot, namespace: number | undefined): Promise<string | undefined> {
    try {
      const { path, inode } = await this.#needs.namespaceOf(snapshot);
      return inode === undefined || namespace === undefined || inode === namespace ? undefined : path;
    } catch (error) {
      if (hasCode(error, 'not-running')) return undefined;
      throw error;
    }
  }
}

/** Reports a stale sharer to users. */
export const staleSharerProblem = ({ id, name }: Snapshot): string =>
  `it shares the network that '${name}' (${shortId(id)}) had before it was restarted, which is cut off: restart this container, too`;
