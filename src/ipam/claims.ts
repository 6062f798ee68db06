import { isDeepStrictEqual } from 'node:util';
import { formatCidr, parseCidr, without } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';
import type { Roster } from '../roster/roster.ts';
import type { AttachOptions } from '../state/attach-options.ts';
import type { State } from '../state/content.ts';
import type { Durability, StateStore } from '../state/state.ts';
import type { Ledger } from './ledger.ts';
import { LocalLedger } from './local-ledger.ts';

/** Owner of the addresses that `expose` assigns to the bridge; the original weave's name for it. */
export const EXPOSED = 'weave:expose';

type Options = Pick<State, 'attachments' | 'unmasqueraded'>;

/**
 * The addresses of each owner, requested by metadata or by a command, and how the owner is attached. A claim survives
 * restarts of container, daemon and host, and ends with the container. Once there is a claim it counts, and the
 * metadata no longer does. The ledger records the addresses. Attach options, and which exposed addresses are not
 * masqueraded, stay in this host's state and end with the last address.
 */
export class Claims {
  readonly #state: StateStore;
  readonly #ledger: Ledger;

  constructor(state: StateStore, ledger: Ledger = new LocalLedger(state)) {
    this.#state = state;
    this.#ledger = ledger;
  }

  /** Undefined for an owner that never had any. */
  of(owner: string): readonly Cidr[] | undefined {
    return this.#ledger.of(owner);
  }

  /** How the owner is attached. */
  optionsOf(owner: string): AttachOptions {
    return this.#state.current.attachments[owner] ?? {};
  }

  /** The exposed addresses that are not masqueraded. */
  unmasqueraded(): readonly Cidr[] {
    return this.#state.current.unmasqueraded.map(parseCidr);
  }

  /** Owners of an address, written without prefix. */
  withAddress(ip: string): readonly string[] {
    return this.#ledger.withAddress(ip);
  }

  /** All owners: container ids and EXPOSED. */
  owners(): readonly string[] {
    return this.#ledger.owners();
  }

  /** The networks of all assigned addresses, each once. */
  networks(): readonly Cidr[] {
    return this.#ledger.networks();
  }

  /** Addresses the owner released that may still be on its interface. */
  releasing(owner: string): readonly Cidr[] {
    return this.#ledger.releasing(owner);
  }

  /**
   * The claim counts from this call on. Resolves when it is on disk.
   * @param options how the owner is attached, where that changes; what is absent stays
   * @throws HeddleError `failed` where it must be kept and cannot be: then it is undone
   */
  async add(
    owner: string,
    cidrs: readonly Cidr[],
    options: AttachOptions = {},
    durability: Durability = 'required',
  ): Promise<void> {
    const chosen = { ...this.optionsOf(owner), ...options };
    await this.#both(this.#ledger.assign(owner, cidrs, durability), durability, withOptions(owner, chosen));
  }

  /**
   * The owner stays recorded, even without any address: its metadata must not assign again what was taken away.
   * @param options how it is attached with the addresses that are left, where that changes as well
   */
  async remove(
    owner: string,
    cidrs: readonly Cidr[],
    options: AttachOptions = this.optionsOf(owner),
    durability: Durability = 'required',
  ): Promise<void> {
    await this.#both(this.#ledger.remove(owner, cidrs, durability), durability, withOptions(owner, options));
  }

  /** Sets for these exposed addresses whether they are masqueraded; the others stay as they are. */
  async masquerade(
    cidrs: readonly Cidr[],
    isWanted: boolean,
    durability: Durability = 'required',
  ): Promise<void> {
    const others = without(this.unmasqueraded(), cidrs);
    const texts = [...others, ...(isWanted ? [] : cidrs)].map(formatCidr);
    if (isDeepStrictEqual(texts, this.#state.current.unmasqueraded)) return;
    await this.#change(durability, (kept) => ({ ...kept, unmasqueraded: texts }));
  }

  /**
   * Takes addresses away that are about to be removed from an interface: `releasing` until `released`, for the process
   * that succeeds a killed one. Containers of the same network namespace that have the same address lose it as well.
   */
  async release(owner: string, cidrs: readonly Cidr[], sharing: readonly string[] = []): Promise<void> {
    await this.#both(this.#ledger.release(owner, cidrs, sharing), 'required');
  }

  /** These addresses are off the owner's interface. */
  async released(owner: string, cidrs: readonly Cidr[]): Promise<void> {
    await this.#ledger.released(owner, cidrs);
  }

  /** Leaves the owner without any address; on disk when that is possible. */
  async clear(owner: string): Promise<void> {
    await this.remove(owner, this.of(owner) ?? [], undefined, 'later');
  }

  /** Never throws: what has ended need not be on disk. */
  async forget(owner: string): Promise<void> {
    await this.#both(this.#ledger.forget(owner), 'later');
  }

  /** Forgets the containers that were removed while no daemon ran. */
  async prune(roster: Pick<Roster, 'get'>): Promise<void> {
    for (const owner of this.owners()) {
      if (owner !== EXPOSED && roster.get(owner) === undefined) await this.forget(owner);
    }
  }

  /**
   * Changes the options in the same turn of the event loop as the ledger: one write of the state file holds both, so
   * that a kill leaves neither without the other.
   */
  async #both(
    recorded: Promise<void>,
    durability: Durability,
    edit: (kept: Options) => Options = (kept) => kept,
  ): Promise<void> {
    await Promise.all([recorded, this.#change(durability, edit)]);
  }

  async #change(durability: Durability, edit: (kept: Options) => Options): Promise<void> {
    const { attachments, unmasqueraded } = this.#state.current;
    const after = this.#whileAssigned(edit({ attachments, unmasqueraded }));
    if (isDeepStrictEqual(after, { attachments, unmasqueraded })) return;
    await this.#state.change((state) => ({ ...state, ...after }), durability);
  }

  /** Options end with the addresses that they were chosen for. */
  #whileAssigned({ attachments, unmasqueraded }: Options): Options {
    const kept = Object.entries(attachments).filter(
      ([owner, options]) => this.of(owner)?.length && Object.keys(options).length > 0,
    );
    const exposed = new Set(this.of(EXPOSED)?.map(formatCidr));
    return {
      attachments: Object.fromEntries(kept),
      unmasqueraded: unmasqueraded.filter((text) => exposed.has(text)),
    };
  }
}

const withOptions =
  (owner: string, options: AttachOptions) =>
  (kept: Options): Options => ({ ...kept, attachments: { ...kept.attachments, [owner]: options } });
