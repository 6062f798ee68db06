/** A name with one of its addresses. */
export interface NamedAddress {
  /** In full and in lower case. */
  readonly name: string;
  readonly ip: string;
  /** What the address is called: such a name comes before others, and then the first one of its owner. */
  readonly given: boolean;
}

/** Which addresses a name has and which name an address has, by owner: a change touches its owner's names alone. */
export class NameTable {
  readonly #byOwner = new Map<string, readonly NamedAddress[]>();
  readonly #byName = new Map<string, Set<NamedAddress>>();
  readonly #byAddress = new Map<string, Set<NamedAddress>>();
  /** How many names lie below each name that has some below it. */
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

  /** The addresses of a name in lower case, each once. */
  addresses(name: string): readonly string[] {
    return [...new Set(Array.from(this.#byName.get(name) ?? [], ({ ip }) => ip))];
  }

  /** Whether the name, or one below it, is there: a name between two others exists, without addresses (RFC 8020). */
  exists(name: string): boolean {
    return this.#byName.has(name) || this.#below.has(name);
  }

  /** What an address is called. */
  nameOf(ip: string): NamedAddress | undefined {
    const names = [...(this.#byAddress.get(ip) ?? [])];
    return names.find(({ given }) => given) ?? names[0];
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

/** @returns whether it is the first of its key */
function add<T>(index: Map<string, Set<T>>, key: string, item: T): boolean {
  const before = index.get(key);
  if (before) before.add(item);
  else index.set(key, new Set([item]));
  return before === undefined;
}

/** @returns whether it was the last of its key */
function remove<T>(index: Map<string, Set<T>>, key: string, item: T): boolean {
  const before = index.get(key);
  before?.delete(item);
  return before?.size === 0 && index.delete(key);
}
