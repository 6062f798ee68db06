/** A name and one of its addresses. */
export interface NamedAddress {
  /** The full name, in lower case. */
  readonly name: string;
  readonly ip: string;
  /** The user assigned the name to the address: the PTR record prefers it to derived names. */
  readonly explicit: boolean;
}

/** Maps names to addresses and addresses to names, by owner: a change touches only the names of one owner. */
export class NameTable {
  readonly #byOwner = new Map<string, readonly NamedAddress[]>();
  readonly #byName = new Map<string, Set<NamedAddress>>();
  readonly #byAddress = new Map<string, Set<NamedAddress>>();
  /** How many names exist below each name. */
  readonly #below = new Map<string, number>();

  /** Replaces all names of an owner. */
  set(owner: string, names: readonly NamedAddress[]): void {
    this.delete(owner);
    if (names.length === 0) return;
    this.#byOwner.set(owner, names);
    for (const named of names) {
      if (add(this.#byName, named.name, named)) this.#count(named.name, 1);
      add(this.#byAddress, named.ip, named);
    }
  }

  delete(owner: string): void {
    for (const named of this.#byOwner.get(owner) ?? []) {
      if (remove(this.#byName, named.name, named)) this.#count(named.name, -1);
      remove(this.#byAddress, named.ip, named);
    }
    this.#byOwner.delete(owner);
  }

  /** Every name, its address and its owner. */
  entries(): readonly { readonly name: string; readonly ip: string; readonly owner: string }[] {
    return [...this.#byOwner].flatMap(([owner, names]) => names.map(({ name, ip }) => ({ name, ip, owner })));
  }

  /** The addresses of a name, each once; the name is in lower case. */
  addresses(name: string): readonly string[] {
    return [...new Set(Array.from(this.#byName.get(name) ?? [], ({ ip }) => ip))];
  }

  /** Whether the name or one below it is in the table: a name above an existing one exists, too (RFC 8020). */
  exists(name: string): boolean {
    return this.#byName.has(name) || this.#below.has(name);
  }

  /** The name of an address: an explicit one, else the first one added. */
  nameOf(ip: string): NamedAddress | undefined {
    const names = [...(this.#byAddress.get(ip) ?? [])];
    return names.find(({ explicit }) => explicit) ?? names[0];
  }

  #count(name: string, change: 1 | -1): void {
    for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
      const above = name.slice(dot + 1);
      const number = (this.#below.get(above) ?? 0) + change;
      if (number === 0) this.#below.delete(above);
      else this.#below.set(above, number);
    }
  }
}

/** @returns whether the item is the first of its key */
function add<T>(index: Map<string, Set<T>>, key: string, item: T): boolean {
  const before = index.get(key);
  if (before) before.add(item);
  else index.set(key, new Set([item]));
  return before === undefined;
}

/** @returns whether the item was the last of its key */
function remove<T>(index: Map<string, Set<T>>, key: string, item: T): boolean {
  const before = index.get(key);
  before?.delete(item);
  return before?.size === 0 && index.delete(key);
}
