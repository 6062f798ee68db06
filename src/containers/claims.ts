import { formatCidr, networkOf, parseCidr } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';
import type { State, StateKeeper } from '../state.ts';
import { ReverseIndex } from './reverse-index.ts';
import type { Roster } from './roster.ts';

type ByOwner = State['claims'];

/** Owner of the addresses that `expose` gave the bridge; the original weave's word for it. */
export const EXPOSED = 'weave:expose';

/**
 * Which addresses every container was given, asked for by its metadata or by hand: kept over restarts of container,
 * daemon and host, and freed with the container. Once there is a claim it counts, and no longer the metadata.
 */
export class Claims {
  readonly #state: StateKeeper;
  readonly #byAddress = new ReverseIndex<string>();
  /** By the state that they follow from. */
  readonly #networks = new WeakMap<object, readonly Cidr[]>();

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

  /** The networks that anybody was given an address in, each once. */
  networks(): readonly Cidr[] {
    const { claims } = this.#state.current;
    const known = this.#networks.get(claims);
    if (known) return known;
    const all = this.owners().flatMap((owner) => (this.of(owner) ?? []).map(networkOf));
    const networks = [...new Map(all.map((network) => [formatCidr(network), network])).values()];
    this.#networks.set(claims, networks);
    return networks;
  }

  /** Counts from this call on; resolves when it is on disk. */
  async add(owner: string, cidrs: readonly Cidr[]): Promise<void> {
    const before = this.#texts(owner);
    const added = new Set(cidrs.map(formatCidr));
    const isLeaving = Object.values(this.#state.current.leaving).some(
      (texts) => !added.isDisjointFrom(new Set(texts)),
    );
    if (before && added.isSubsetOf(before) && !isLeaving) return;
    const texts = [...(before ?? new Set()).union(added)];
    await this.#change([owner], ({ claims, leaving }) => ({
      claims: { ...claims, [owner]: texts },
      leaving: isLeaving ? withoutTexts(leaving, Object.keys(leaving), added) : leaving,
    }));
  }

  /** The owner stays known, be it without any address: its metadata must not give back what was taken. */
  async remove(owner: string, cidrs: readonly Cidr[]): Promise<void> {
    await this.#set(owner, [...(this.#texts(owner) ?? new Set()).difference(new Set(cidrs.map(formatCidr)))]);
  }

  /**
   * The same for addresses that are about to be taken off an interface: until `gone` they are known to be leaving, for
   * whoever comes after a kill. Others in the same network, who were given the same address, lose it as well.
   */
  async giveUp(owner: string, cidrs: readonly Cidr[], sharing: readonly string[] = []): Promise<void> {
    const texts = new Set(cidrs.map(formatCidr));
    const losing = [owner, ...sharing.filter((other) => this.#texts(other)?.isDisjointFrom(texts) === false)];
    await this.#change(losing, ({ claims, leaving }) => ({
      claims: withoutTexts({ [owner]: [], ...claims }, losing, texts),
      leaving: { ...leaving, [owner]: [...new Set(leaving[owner]).union(texts)] },
    }));
  }

  /** What the owner has given up, and may still have. */
  leaving(owner: string): readonly Cidr[] {
    return (this.#state.current.leaving[owner] ?? []).map(parseCidr);
  }

  /** It is off the interface. */
  async gone(owner: string, cidrs: readonly Cidr[]): Promise<void> {
    if (this.#state.current.leaving[owner] === undefined) return;
    const texts = new Set(cidrs.map(formatCidr));
    await this.#change([], ({ claims, leaving: { [owner]: before = [], ...others } }) => {
      const left = before.filter((text) => !texts.has(text));
      return { claims, leaving: left.length > 0 ? { ...others, [owner]: left } : others };
    });
  }

  /** Leaves the owner without any address. */
  async clear(owner: string): Promise<void> {
    await this.#set(owner, []);
  }

  async forget(owner: string): Promise<void> {
    const { claims, leaving } = this.#state.current;
    if (claims[owner] === undefined && leaving[owner] === undefined) return;
    await this.#change(
      [owner],
      ({ claims: { [owner]: _, ...kept }, leaving: { [owner]: __, ...others } }) => ({
        claims: kept,
        leaving: others,
      }),
    );
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
    await this.#change([owner], ({ claims, leaving }) => ({
      claims: { ...claims, [owner]: [...texts] },
      leaving,
    }));
  }

  /** @param owners whose claims it changes */
  async #change(
    owners: readonly string[],
    edit: (kept: Pick<State, 'claims' | 'leaving'>) => Pick<State, 'claims' | 'leaving'>,
  ): Promise<void> {
    const kept = this.#state.change((state) => ({ ...state, ...edit(state) }));
    for (const owner of owners) this.#index(owner);
    await kept;
  }

  #index(owner: string): void {
    this.#byAddress.set(
      owner,
      (this.of(owner) ?? []).map(({ ip }) => ip),
    );
  }
}

/** What these owners have, without these addresses. */
const withoutTexts = (all: ByOwner, owners: readonly string[], texts: ReadonlySet<string>): ByOwner => ({
  ...all,
  ...Object.fromEntries(
    owners.map((owner) => [owner, (all[owner] ?? []).filter((text) => !texts.has(text))]),
  ),
});
