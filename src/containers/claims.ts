import { formatCidr, parseCidr } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';
import type { StateKeeper } from '../state.ts';
import { ReverseIndex } from './reverse-index.ts';
import type { Roster } from './roster.ts';

/** Owner of the addresses that `expose` gave the bridge; the original weave's word for it. */
export const EXPOSED = 'weave:expose';

/**
 * Which addresses every container was given, asked for by its metadata or by hand: kept over restarts of container,
 * daemon and host, and freed with the container. Once there is a claim it counts, and no longer the metadata.
 */
export class Claims {
  readonly #state: StateKeeper;
  readonly #byAddress = new ReverseIndex<string>();

  constructor(state: StateKeeper) {
    this.#state = state;
    for (const owner of this.owners()) this.#index(owner);
  }

  /** Undefined for an owner that was never given any. */
  of(owner: string): readonly Cidr[] | undefined {
    return this.#state.current.claims[owner]?.map(parseCidr);
  }

  /** Who was given an address, written without prefix. */
  withAddress(ip: string): readonly string[] {
    return this.#byAddress.having(ip);
  }

  /** All owners: container ids and EXPOSED. */
  owners(): readonly string[] {
    return Object.keys(this.#state.current.claims);
  }

  /** Counts from this call on; resolves when it is on disk. */
  async add(owner: string, cidrs: readonly Cidr[]): Promise<void> {
    const before = this.#texts(owner);
    if (before && cidrs.every((cidr) => before.has(formatCidr(cidr)))) return;
    await this.#set(owner, [...(before ?? new Set()).union(new Set(cidrs.map(formatCidr)))]);
  }

  /** The owner stays known, be it without any address: its metadata must not give back what was taken. */
  async remove(owner: string, cidrs: readonly Cidr[]): Promise<void> {
    await this.#set(owner, [...(this.#texts(owner) ?? new Set()).difference(new Set(cidrs.map(formatCidr)))]);
  }

  /** Leaves the owner without any address. */
  async clear(owner: string): Promise<void> {
    await this.#set(owner, []);
  }

  async forget(owner: string): Promise<void> {
    if (this.#state.current.claims[owner] === undefined) return;
    this.#byAddress.delete(owner);
    await this.#state.change(({ claims: { [owner]: _, ...claims }, ...state }) => ({ ...state, claims }));
  }

  /** Forgets what was removed while no daemon ran. */
  async prune(roster: Pick<Roster, 'get'>): Promise<void> {
    for (const owner of this.owners()) {
      if (owner !== EXPOSED && roster.get(owner) === undefined) await this.forget(owner);
    }
  }

  #texts(owner: string): Set<string> | undefined {
    const texts = this.#state.current.claims[owner];
    return texts && new Set(texts);
  }

  async #set(owner: string, texts: readonly string[]): Promise<void> {
    const kept = this.#state.change((state) => ({
      ...state,
      claims: { ...state.claims, [owner]: [...texts] },
    }));
    this.#index(owner);
    await kept;
  }

  #index(owner: string): void {
    this.#byAddress.set(
      owner,
      (this.of(owner) ?? []).map(({ ip }) => ip),
    );
  }
}
