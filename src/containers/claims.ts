import type { Snapshot } from '../docker/snapshot.ts';
import { formatCidr, parseCidr } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';
import type { StateFile } from '../state.ts';
import { dueAddresses } from './due.ts';
import type { Roster } from './roster.ts';

/**
 * The addresses that `attach` and `detach` left each container with: kept over restarts of container, daemon and
 * host, and forgotten with the container. From the first word on they count, and no longer the container's metadata.
 */
export class Claims {
  readonly #state: StateFile;

  constructor(state: StateFile) {
    this.#state = state;
  }

  /** Undefined for a container that nobody attached or detached by hand. */
  of(container: string): readonly Cidr[] | undefined {
    return this.#state.current.claims[container]?.map(parseCidr);
  }

  add(snapshot: Snapshot, cidrs: readonly Cidr[]): Promise<void> {
    return this.#change(snapshot, (before) => before.union(new Set(cidrs.map(formatCidr))));
  }

  remove(snapshot: Snapshot, cidrs: readonly Cidr[]): Promise<void> {
    return this.#change(snapshot, (before) => before.difference(new Set(cidrs.map(formatCidr))));
  }

  async forget(container: string): Promise<void> {
    if (this.#state.current.claims[container] === undefined) return;
    await this.#state.change(({ claims: { [container]: _, ...claims }, ...state }) => ({ ...state, claims }));
  }

  /** Forgets what was removed while no daemon ran. */
  async prune(roster: Pick<Roster, 'get'>): Promise<void> {
    for (const container of Object.keys(this.#state.current.claims)) {
      if (roster.get(container) === undefined) await this.forget(container);
    }
  }

  async #change({ id, ...snapshot }: Snapshot, edit: (before: Set<string>) => Set<string>): Promise<void> {
    await this.#state.change((state) => {
      const before = state.claims[id] ?? dueAddresses({ id, ...snapshot }).cidrs.map(formatCidr);
      return { ...state, claims: { ...state.claims, [id]: [...edit(new Set(before))] } };
    });
  }
}
