import { formatCidr, networkOf, parseCidr } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';
import { ReverseIndex } from '../roster/reverse-index.ts';
import type { State } from '../state/content.ts';
import type { Durability, StateStore } from '../state/state.ts';
import type { Ledger } from './ledger.ts';

type Records = Pick<State, 'claims' | 'leaving'>;
type ByOwner = State['claims'];

/** The ledger of a host that owns its whole range: in the state file, under `claims` and `leaving`. */
export class LocalLedger implements Ledger {
  readonly #state: StateStore;
  /** Owners by the addresses that they have, without prefix. */
  readonly #byAddress = new ReverseIndex<string>();
  /** Networks by the version of the claims that they were computed from. */
  readonly #networks = new WeakMap<object, readonly Cidr[]>();

  constructor(state: StateStore) {
    this.#state = state;
    for (const owner of this.owners()) this.#index(owner);
  }

  of(owner: string): readonly Cidr[] | undefined {
    return this.#state.current.claims[owner]?.map(parseCidr);
  }

  owners(): readonly string[] {
    return Object.keys(this.#state.current.claims);
  }

  withAddress(ip: string): readonly string[] {
    return this.#byAddress.containersOf(ip);
  }

  networks(): readonly Cidr[] {
    const { claims } = this.#state.current;
    const computed = this.#networks.get(claims);
    if (computed) return computed;
    const all = this.owners().flatMap((owner) => (this.of(owner) ?? []).map(networkOf));
    const networks = [...new Map(all.map((network) => [formatCidr(network), network])).values()];
    this.#networks.set(claims, networks);
    return networks;
  }

  releasing(owner: string): readonly Cidr[] {
    return (this.#state.current.leaving[owner] ?? []).map(parseCidr);
  }

  async assign(owner: string, cidrs: readonly Cidr[], durability: Durability): Promise<void> {
    const before = this.#texts(owner);
    const added = textsOf(cidrs);
    const isReleasing = Object.values(this.#state.current.leaving).some(
      (texts) => !added.isDisjointFrom(new Set(texts)),
    );
    if (before && added.isSubsetOf(before) && !isReleasing) return;
    const texts = [...(before ?? new Set<string>()).union(added)];
    await this.#change([owner], durability, ({ claims, leaving }) => ({
      claims: { ...claims, [owner]: texts },
      leaving: isReleasing ? withoutTexts(leaving, Object.keys(leaving), added) : leaving,
    }));
  }

  async remove(owner: string, cidrs: readonly Cidr[], durability: Durability): Promise<void> {
    const texts = (this.#texts(owner) ?? new Set()).difference(textsOf(cidrs));
    await this.#change([owner], durability, ({ claims }) => ({ claims: { ...claims, [owner]: [...texts] } }));
  }

  async release(owner: string, cidrs: readonly Cidr[], sharing: readonly string[]): Promise<void> {
    const texts = textsOf(cidrs);
    const losing = [owner, ...sharing.filter((other) => this.#texts(other)?.isDisjointFrom(texts) === false)];
    await this.#change(losing, 'required', ({ claims, leaving }) => ({
      claims: withoutTexts({ [owner]: [], ...claims }, losing, texts),
      leaving: { ...leaving, [owner]: [...new Set(leaving[owner]).union(texts)] },
    }));
  }

  async released(owner: string, cidrs: readonly Cidr[]): Promise<void> {
    if (this.#state.current.leaving[owner] === undefined) return;
    const texts = textsOf(cidrs);
    await this.#change([], 'later', ({ leaving: { [owner]: before = [], ...others } }) => {
      const left = before.filter((text) => !texts.has(text));
      return { leaving: left.length > 0 ? { ...others, [owner]: left } : others };
    });
  }

  async forget(owner: string): Promise<void> {
    const { claims, leaving } = this.#state.current;
    if (claims[owner] === undefined && leaving[owner] === undefined) return;
    await this.#change([owner], 'later', (records) => ({
      claims: withoutOwner(records.claims, owner),
      leaving: withoutOwner(records.leaving, owner),
    }));
  }

  #texts(owner: string): Set<string> | undefined {
    const texts = this.#state.current.claims[owner];
    return texts && new Set(texts);
  }

  /** @param owners whose claims change */
  async #change(
    owners: readonly string[],
    durability: Durability,
    edit: (records: Records) => Partial<Records>,
  ): Promise<void> {
    const kept = this.#state.change((state) => ({ ...state, ...edit(state) }), durability);
    const index = () => {
      for (const owner of owners) this.#index(owner);
    };
    index();
    // A change that could not be kept is undone by now.
    await kept.finally(index);
  }

  #index(owner: string): void {
    this.#byAddress.set(
      owner,
      (this.of(owner) ?? []).map(({ ip }) => ip),
    );
  }
}

const textsOf = (cidrs: readonly Cidr[]): Set<string> => new Set(cidrs.map(formatCidr));

const withoutOwner = (all: ByOwner, owner: string): ByOwner => {
  const { [owner]: _, ...others } = all;
  return others;
};

/** All lists, those of these owners without these addresses. */
const withoutTexts = (all: ByOwner, owners: readonly string[], texts: ReadonlySet<string>): ByOwner => ({
  ...all,
  ...Object.fromEntries(
    owners.map((owner) => [owner, (all[owner] ?? []).filter((text) => !texts.has(text))]),
  ),
});
