import { isDeepStrictEqual } from 'node:util';
import { formatCidr, networkOf, parseCidr, without } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';
import { ReverseIndex } from '../roster/reverse-index.ts';
import type { Roster } from '../roster/roster.ts';
import type { AttachOptions } from '../state/attach-options.ts';
import type { State } from '../state/content.ts';
import type { Durability, StateKeeper } from '../state/state.ts';

type ByOwner = State['claims'];
type Kept = Pick<State, 'claims' | 'attachments' | 'unmasqueraded' | 'leaving'>;

/** Owner of the addresses that `expose` gave the bridge; the original weave's word for it. */
export const EXPOSED = 'weave:expose';

/**
 * Which addresses every container was given, asked for by its metadata or by hand: kept over restarts of container,
 * daemon and host, and freed with the container. Once there is a claim it counts, and no longer the metadata. How the
 * owner is attached is kept with it, and ends with the last address; so is which exposed address is not masqueraded.
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

  /** How the owner is attached. */
  optionsOf(owner: string): AttachOptions {
    return this.#state.current.attachments[owner] ?? {};
  }

  /** Those of the exposed addresses that are not masqueraded. */
  unmasqueraded(): readonly Cidr[] {
    return this.#state.current.unmasqueraded.map(parseCidr);
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

  /**
   * Counts from this call on; resolves when it is on disk.
   * @param options what is chosen anew of how the owner is attached; the rest stays
   * @throws HeddleError `failed` where it is required and cannot be kept: then it does not count any more
   */
  async add(
    owner: string,
    cidrs: readonly Cidr[],
    options: AttachOptions = {},
    durability: Durability = 'required',
  ): Promise<void> {
    const before = this.#texts(owner);
    const chosen = { ...this.optionsOf(owner), ...options };
    const isChosen = isDeepStrictEqual(chosen, this.optionsOf(owner));
    const added = new Set(cidrs.map(formatCidr));
    const isLeaving = Object.values(this.#state.current.leaving).some(
      (texts) => !added.isDisjointFrom(new Set(texts)),
    );
    if (before && added.isSubsetOf(before) && isChosen && !isLeaving) return;
    const texts = [...(before ?? new Set()).union(added)];
    await this.#change([owner], durability, ({ claims, attachments, leaving }) => ({
      claims: { ...claims, [owner]: texts },
      attachments: isChosen ? attachments : { ...attachments, [owner]: chosen },
      leaving: isLeaving ? withoutTexts(leaving, Object.keys(leaving), added) : leaving,
    }));
  }

  /**
   * The owner stays known, be it without any address: its metadata must not give back what was taken.
   * @param options how it is attached with what it has left, where that changes as well
   */
  async remove(
    owner: string,
    cidrs: readonly Cidr[],
    options: AttachOptions = this.optionsOf(owner),
    durability: Durability = 'required',
  ): Promise<void> {
    const texts = (this.#texts(owner) ?? new Set()).difference(new Set(cidrs.map(formatCidr)));
    await this.#change([owner], durability, ({ claims, attachments }) => ({
      claims: { ...claims, [owner]: [...texts] },
      attachments: { ...attachments, [owner]: options },
    }));
  }

  /** Says of exposed addresses whether they are masqueraded; of the others that stays as it was. */
  async masquerade(
    cidrs: readonly Cidr[],
    isWanted: boolean,
    durability: Durability = 'required',
  ): Promise<void> {
    const others = without(this.unmasqueraded(), cidrs);
    const texts = [...others, ...(isWanted ? [] : cidrs)].map(formatCidr);
    if (isDeepStrictEqual(texts, this.#state.current.unmasqueraded)) return;
    await this.#change([], durability, () => ({ unmasqueraded: texts }));
  }

  /**
   * The same for addresses that are about to be taken off an interface: until `gone` they are known to be leaving, for
   * whoever comes after a kill. Others in the same network, who were given the same address, lose it as well.
   */
  async giveUp(owner: string, cidrs: readonly Cidr[], sharing: readonly string[] = []): Promise<void> {
    const texts = new Set(cidrs.map(formatCidr));
    const losing = [owner, ...sharing.filter((other) => this.#texts(other)?.isDisjointFrom(texts) === false)];
    await this.#change(losing, 'required', ({ claims, leaving }) => ({
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
    await this.#change([], 'later', ({ leaving: { [owner]: before = [], ...others } }) => {
      const left = before.filter((text) => !texts.has(text));
      return { leaving: left.length > 0 ? { ...others, [owner]: left } : others };
    });
  }

  /** Leaves the owner without any address; on disk when that is possible. */
  async clear(owner: string): Promise<void> {
    await this.remove(owner, this.of(owner) ?? [], undefined, 'later');
  }

  /** Never throws: what is gone need not be on disk. */
  async forget(owner: string): Promise<void> {
    const { claims, leaving } = this.#state.current;
    if (claims[owner] === undefined && leaving[owner] === undefined) return;
    await this.#change(
      [owner],
      'later',
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

  /** @param owners whose claims it changes */
  async #change(
    owners: readonly string[],
    durability: Durability,
    edit: (kept: Kept) => Partial<Kept>,
  ): Promise<void> {
    const kept = this.#state.change((state) => whileGiven({ ...state, ...edit(state) }), durability);
    const index = () => {
      for (const owner of owners) this.#index(owner);
    };
    index();
    // What could not be kept is undone.
    await kept.finally(index);
  }

  #index(owner: string): void {
    this.#byAddress.set(
      owner,
      (this.of(owner) ?? []).map(({ ip }) => ip),
    );
  }
}

/** What was chosen ends with the addresses that it was chosen for. */
const whileGiven = ({ claims, attachments, unmasqueraded, ...rest }: State): State => ({
  ...rest,
  claims,
  attachments: Object.fromEntries(
    Object.entries(attachments).filter(
      ([owner, options]) => claims[owner]?.length && Object.keys(options).length > 0,
    ),
  ),
  unmasqueraded: unmasqueraded.filter((text) => claims[EXPOSED]?.includes(text)),
});

/** What these owners have, without these addresses. */
const withoutTexts = (all: ByOwner, owners: readonly string[], texts: ReadonlySet<string>): ByOwner => ({
  ...all,
  ...Object.fromEntries(
    owners.map((owner) => [owner, (all[owner] ?? []).filter((text) => !texts.has(text))]),
  ),
});
