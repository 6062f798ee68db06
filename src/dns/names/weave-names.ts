import { shortId } from '../../docker/snapshot.ts';
import { HeddleError } from '../../errors.ts';
import { EXPOSED } from '../../ipam/claims.ts';
import type { RosterEntry } from '../../roster/entry.ts';
import type { Roster } from '../../roster/roster.ts';
import type { Logger } from '../../runtime/log.ts';
import type { State } from '../../state/content.ts';
import type { Durability, StateStore } from '../../state/state.ts';
import { isBelow } from '../wire/name.ts';
import { containerAddresses, containerNames, nameBelow, nameProblems } from './container-names.ts';
import { type NamedAddress, NameTable } from './name-table.ts';

/** The arguments of `dns-add` and `dns-remove`. */
export interface NameRequest {
  /** Empty to add all addresses of the container; empty to remove all addresses of the name. */
  readonly ips: readonly string[];
  /** The full id of the container that owns the name, or EXPOSED; absent for a name without an owner. */
  readonly container?: string;
  /** Absent to add the container's own first name; absent to remove all its added names. */
  readonly name?: string;
}

type AddedName = State['names'][number];

/** The owner of names that belong to no container. */
const NO_CONTAINER = '';
/** The table holds names added by hand, it is no database: more names mean that a program adds them by mistake. */
const MAX_ADDED = 10_000;

export interface WeaveNamesNeeds {
  readonly roster: Roster;
  readonly state: StateStore;
  readonly log?: Pick<Logger, 'warn'>;
}

/** The names of containers and their addresses: derived from Docker's data, and added by `dns-add`. */
export class WeaveNames {
  readonly #roster: Roster;
  readonly #state: StateStore;
  readonly #domain: string;
  readonly #table = new NameTable();
  /** The problems already logged, by container: each is logged once. */
  readonly #loggedProblems = new Map<string, string>();
  /** The added names by owner, computed from `names`. */
  #added: { readonly names: State['names']; readonly byOwner: Map<string, AddedName[]> } | undefined;

  constructor({ roster, state, log }: WeaveNamesNeeds, options: { readonly domain: string }) {
    this.#roster = roster;
    this.#state = state;
    this.#domain = options.domain;
    roster.on('set', (entry) => {
      this.#refresh(entry.snapshot.id);
      if (log) this.#logProblems(entry, log);
    });
    roster.on('delete', (container) => {
      this.#table.delete(container);
      this.#loggedProblems.delete(container);
    });
    this.#refresh(NO_CONTAINER);
    this.#refresh(EXPOSED);
  }

  get table(): Pick<NameTable, 'addresses' | 'exists' | 'nameOf'> {
    return this.#table;
  }

  get report(): { readonly domain: string; readonly entries: ReturnType<NameTable['entries']> } {
    return { domain: this.#domain, entries: this.#table.entries() };
  }

  /** `web.weave.local` for `web`. @throws HeddleError `bad-input` for an invalid name, or one of another domain */
  fullName(name: string): string {
    const full = nameBelow(name, this.#domain);
    const lower = name.toLowerCase().replace(/\.$/, '');
    if (full !== undefined && (isBelow(lower, this.#domain) || !lower.includes('.'))) return full;
    throw new HeddleError(
      'bad-input',
      `'${name}' is no name below ${this.#domain}: expected labels of at most 63 letters, digits, - and _, ` +
        `such as web.${this.#domain} or web`,
    );
  }

  /**
   * Adds a name to addresses, or to a container for as long as it exists. DNS answers the name when this resolves.
   * @throws HeddleError `bad-input` for an invalid name or one of another domain; `refused` if there are too many
   */
  async add({ ips, container, name }: NameRequest): Promise<void> {
    const full = this.fullName(name ?? this.#ownName(container));
    if (this.#state.current.names.length >= MAX_ADDED) {
      throw new HeddleError(
        'refused',
        `cannot add another name: ${MAX_ADDED} were added already; remove some with dns-remove`,
      );
    }
    const added: AddedName = { name: full, ips: [...ips], ...(container !== undefined && { container }) };
    await this.#change(container, 'required', (names) => [
      ...names.filter((other) => !isSame(other, added)),
      added,
    ]);
  }

  /**
   * Removes names that `add` added, or some of their addresses.
   * @returns whether anything was removed
   * @throws HeddleError `refused` for a name that is derived from the container
   */
  async remove({ ips, container, name }: NameRequest, durability: Durability = 'required'): Promise<boolean> {
    const full = name === undefined ? undefined : this.fullName(name);
    const matches = (added: AddedName) =>
      added.container === container && (full === undefined || added.name === full);
    let wasThere = false;
    await this.#change(container, durability, (names) =>
      names.flatMap((added) => {
        if (!matches(added)) return added;
        const left = without(added, ips);
        wasThere ||= left[0] !== added;
        return left;
      }),
    );
    const entry = container === undefined ? undefined : this.#roster.get(container);
    if (
      !wasThere &&
      entry &&
      full !== undefined &&
      this.#derived(entry).some((derived) => derived.name === full)
    ) {
      throw new HeddleError(
        'refused',
        `cannot remove ${full}: it is container ${shortId(entry.snapshot.id)}'s own name, answered while it runs`,
      );
    }
    return wasThere;
  }

  /** Deletes the names added to a container that was removed. */
  async forget(container: string): Promise<void> {
    if (!this.#state.current.names.some((added) => added.container === container)) return;
    await this.#change(container, 'later', (names) => names.filter((added) => added.container !== container));
  }

  /** Deletes the names added to containers that were removed while no daemon ran. */
  async prune(): Promise<void> {
    const containers = new Set(this.#state.current.names.flatMap(({ container }) => container ?? []));
    for (const container of containers) {
      if (container !== EXPOSED && this.#roster.get(container) === undefined) await this.forget(container);
    }
  }

  /** Which texts are not valid names of a container, and why. Empty if the container has no address to name. */
  problems(container: string): readonly string[] {
    const entry = this.#roster.get(container);
    if (!entry || containerAddresses(entry).length === 0) return [];
    return nameProblems(entry.snapshot, this.#domain);
  }

  #logProblems({ snapshot: { id, name } }: RosterEntry, log: Pick<Logger, 'warn'>): void {
    const text = this.problems(id).join('; ');
    if (text === '' || this.#loggedProblems.get(id) === text) return;
    this.#loggedProblems.set(id, text);
    log.warn({ container: shortId(id), name }, text);
  }

  /** The names added for an owner. Grouped once for all owners, since every change of a container calls this. */
  #addedFor(owner: string): readonly AddedName[] {
    const { names } = this.#state.current;
    if (this.#added?.names !== names) {
      this.#added = { names, byOwner: Map.groupBy(names, ({ container = NO_CONTAINER }) => container) };
    }
    return this.#added.byOwner.get(owner) ?? [];
  }

  async #change(
    container: string | undefined,
    durability: Durability,
    edit: (names: AddedName[]) => AddedName[],
  ): Promise<void> {
    const edited = (state: State): State => ({ ...state, names: edit(state.names) });
    const written = this.#state.change(edited, durability);
    const renew = () => this.#refresh(container ?? NO_CONTAINER);
    renew();
    // If the write fails, the state is rolled back, and so is the table.
    await written.finally(renew);
  }

  #refresh(owner: string): void {
    const entry = this.#roster.get(owner);
    const own = entry ? containerAddresses(entry) : [];
    const isAnswered = owner === NO_CONTAINER || owner === EXPOSED || (entry?.snapshot.running ?? false);
    const added = this.#addedFor(owner);
    this.#table.set(owner, [
      ...(isAnswered ? added : []).flatMap(({ name, ips }) =>
        (ips.length > 0 ? ips : own).map((ip) => ({ name, ip, explicit: true })),
      ),
      ...(entry ? this.#derived(entry) : []).flatMap((named) => own.map((ip) => ({ ...named, ip }))),
    ]);
  }

  #derived({ snapshot }: RosterEntry): readonly Omit<NamedAddress, 'ip'>[] {
    return containerNames(snapshot, this.#domain);
  }

  #ownName(container: string | undefined): string {
    const entry = container === undefined ? undefined : this.#roster.get(container);
    const first = entry && this.#derived(entry)[0];
    if (first) return first.name;
    throw new HeddleError('bad-input', 'expected a name: -h web, or a container that has one');
  }
}

const isSame = (one: AddedName, other: AddedName): boolean =>
  one.name === other.name && one.container === other.container && one.ips.join() === other.ips.join();

/** The name without these addresses; nothing if `ips` is empty or no address is left. */
function without(added: AddedName, ips: readonly string[]): AddedName[] {
  if (ips.length === 0) return [];
  if (added.ips.length === 0) return [added];
  const left = added.ips.filter((ip) => !ips.includes(ip));
  if (left.length === added.ips.length) return [added];
  return left.length > 0 ? [{ ...added, ips: left }] : [];
}
