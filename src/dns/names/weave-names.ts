import { shortId } from '../../docker/snapshot.ts';
import { HeddleError } from '../../errors.ts';
import { EXPOSED } from '../../ipam/claims.ts';
import type { RosterEntry } from '../../roster/entry.ts';
import type { Roster } from '../../roster/roster.ts';
import type { Logger } from '../../runtime/log.ts';
import type { State } from '../../state/content.ts';
import type { Durability, StateKeeper } from '../../state/state.ts';
import { isBelow } from '../wire/name.ts';
import { containerAddresses, containerNames, nameBelow, nameProblems } from './container-names.ts';
import { type NamedAddress, NameTable } from './name-table.ts';

/** What `dns-add` and `dns-remove` are told. */
export interface NameRequest {
  /** None for all that the container has; to remove, for whatever the name has. */
  readonly ips: readonly string[];
  /** The full id of the container whose name it is, or EXPOSED; without one the name belongs to nobody here. */
  readonly container?: string;
  /** Absent for the container's own first name; to remove, for all of them. */
  readonly name?: string;
}

type GivenName = State['names'][number];

/** Names of nobody here have no container's id for an owner. */
const NOBODY = '';
/** A table of names by hand, no database: beyond it something has gone wrong that adds names. */
const MAX_GIVEN = 10_000;

export interface WeaveNamesNeeds {
  readonly roster: Roster;
  readonly state: StateKeeper;
  readonly log?: Pick<Logger, 'warn'>;
}

/** The names of containers and their addresses: what Docker says of those that run, and what `dns-add` gave. */
export class WeaveNames {
  readonly #roster: Roster;
  readonly #state: StateKeeper;
  readonly #domain: string;
  readonly #table = new NameTable();
  /** Problems that the log has, by container: each is said once. */
  readonly #said = new Map<string, string>();
  /** What was given, by owner, for the names that it follows from. */
  #given: { readonly names: State['names']; readonly byOwner: Map<string, GivenName[]> } | undefined;

  constructor({ roster, state, log }: WeaveNamesNeeds, options: { readonly domain: string }) {
    this.#roster = roster;
    this.#state = state;
    this.#domain = options.domain;
    roster.on('set', (entry) => {
      this.#renew(entry.snapshot.id);
      if (log) this.#say(entry, log);
    });
    roster.on('delete', (container) => {
      this.#table.delete(container);
      this.#said.delete(container);
    });
    this.#renew(NOBODY);
    this.#renew(EXPOSED);
  }

  get table(): Pick<NameTable, 'addresses' | 'exists' | 'nameOf'> {
    return this.#table;
  }

  get report(): { readonly domain: string; readonly entries: ReturnType<NameTable['entries']> } {
    return { domain: this.#domain, entries: this.#table.entries() };
  }

  /** `web.weave.local` for `web`. @throws HeddleError `bad-input` for a name of another domain, or none */
  fullName(name: string): string {
    const full = nameBelow(name, this.#domain);
    const lower = name.toLowerCase().replace(/\.$/, '');
    if (full !== undefined && (isBelow(lower, this.#domain) || !lower.includes('.'))) return full;
    throw new HeddleError(
      'bad-input',
      `'${name}' is no name below ${this.#domain}: expected letters, digits, - and _ in labels of at most 63, ` +
        `as in web.${this.#domain} or web`,
    );
  }

  /**
   * Gives a name to addresses, or to a container for as long as it exists; it is answered when this resolves.
   * @throws HeddleError `bad-input` for a name of another domain, or none; `refused` when there are too many
   */
  async add({ ips, container, name }: NameRequest): Promise<void> {
    const full = this.fullName(name ?? this.#ownName(container));
    if (this.#state.current.names.length >= MAX_GIVEN) {
      throw new HeddleError(
        'refused',
        `${MAX_GIVEN} names were given already; take some away with dns-remove`,
      );
    }
    const given: GivenName = { name: full, ips: [...ips], ...(container !== undefined && { container }) };
    await this.#change(container, 'required', (names) => [
      ...names.filter((other) => !isSame(other, given)),
      given,
    ]);
  }

  /**
   * Takes away what `add` gave.
   * @returns whether there was anything of it
   * @throws HeddleError `refused` for a name that the container has by itself
   */
  async remove({ ips, container, name }: NameRequest, durability: Durability = 'required'): Promise<boolean> {
    const full = name === undefined ? undefined : this.fullName(name);
    const matches = (given: GivenName) =>
      given.container === container && (full === undefined || given.name === full);
    let wasThere = false;
    await this.#change(container, durability, (names) =>
      names.flatMap((given) => {
        if (!matches(given)) return given;
        const left = without(given, ips);
        wasThere ||= left[0] !== given;
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
        `${full} is what container ${shortId(entry.snapshot.id)} is called by itself; it is answered while it runs`,
      );
    }
    return wasThere;
  }

  /** Forgets what was given to a container, when that is removed. */
  async forget(container: string): Promise<void> {
    if (!this.#state.current.names.some((given) => given.container === container)) return;
    await this.#change(container, 'later', (names) => names.filter((given) => given.container !== container));
  }

  /** Forgets what was given to containers that were removed while no daemon ran. */
  async prune(): Promise<void> {
    const containers = new Set(this.#state.current.names.flatMap(({ container }) => container ?? []));
    for (const container of containers) {
      if (container !== EXPOSED && this.#roster.get(container) === undefined) await this.forget(container);
    }
  }

  /** Which of its words give a container no name, and why; none where it has no address to be called. */
  problems(container: string): readonly string[] {
    const entry = this.#roster.get(container);
    if (!entry || containerAddresses(entry).length === 0) return [];
    return nameProblems(entry.snapshot, this.#domain);
  }

  #say({ snapshot: { id, name } }: RosterEntry, log: Pick<Logger, 'warn'>): void {
    const text = this.problems(id).join('; ');
    if (text === '' || this.#said.get(id) === text) return;
    this.#said.set(id, text);
    log.warn({ container: shortId(id), name }, text);
  }

  /** What was given to an owner: looked through once for all, since every change of a container comes by here. */
  #givenTo(owner: string): readonly GivenName[] {
    const { names } = this.#state.current;
    if (this.#given?.names !== names) {
      this.#given = { names, byOwner: Map.groupBy(names, ({ container = NOBODY }) => container) };
    }
    return this.#given.byOwner.get(owner) ?? [];
  }

  async #change(
    container: string | undefined,
    durability: Durability,
    edit: (names: GivenName[]) => GivenName[],
  ): Promise<void> {
    const edited = (state: State): State => ({ ...state, names: edit(state.names) });
    const written = this.#state.change(edited, durability);
    const renew = () => this.#renew(container ?? NOBODY);
    renew();
    // What could not be kept is undone.
    await written.finally(renew);
  }

  #renew(owner: string): void {
    const entry = this.#roster.get(owner);
    const own = entry ? containerAddresses(entry) : [];
    const isAnswered = owner === NOBODY || owner === EXPOSED || (entry?.snapshot.running ?? false);
    const given = this.#givenTo(owner);
    this.#table.set(owner, [
      ...(isAnswered ? given : []).flatMap(({ name, ips }) =>
        (ips.length > 0 ? ips : own).map((ip) => ({ name, ip, given: true })),
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

const isSame = (one: GivenName, other: GivenName): boolean =>
  one.name === other.name && one.container === other.container && one.ips.join() === other.ips.join();

/** What is left of a name without these addresses; nothing when none are named. */
function without(given: GivenName, ips: readonly string[]): GivenName[] {
  if (ips.length === 0) return [];
  if (given.ips.length === 0) return [given];
  const left = given.ips.filter((ip) => !ips.includes(ip));
  if (left.length === given.ips.length) return [given];
  return left.length > 0 ? [{ ...given, ips: left }] : [];
}
