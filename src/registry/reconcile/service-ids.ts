/** Who wants a SERVICE_ID: a container, for the service that has this id of its own. */
export interface Claim {
  readonly container: string;
  readonly ownId: string;
}

/**
 * Who has which SERVICE_ID: of those who want it here the first and, while the registry has it of somebody else,
 * nobody.
 */
export class ServiceIds {
  /** By SERVICE_ID, first come first. */
  readonly #claims = new Map<string, Claim[]>();
  readonly #foreign = new Set<string>();

  /** All that are wanted here. */
  wanted(): Iterable<string> {
    return this.#claims.keys();
  }

  claim(id: string, claim: Claim): void {
    const claims = this.#claims.get(id);
    if (claims === undefined) this.#claims.set(id, [claim]);
    else claims.push(claim);
  }

  /** Gives a claim up; returns whose turn it is now, if anybody's. */
  release(id: string, ownId: string): Claim | undefined {
    const left = (this.#claims.get(id) ?? []).filter((claim) => claim.ownId !== ownId);
    if (left.length > 0) this.#claims.set(id, left);
    else {
      this.#claims.delete(id);
      this.#foreign.delete(id);
    }
    return left[0];
  }

  holder(id: string): Claim | undefined {
    return this.#foreign.has(id) ? undefined : this.#claims.get(id)?.[0];
  }

  isForeign(id: string): boolean {
    return this.#foreign.has(id);
  }

  /** Returns whose turn it is where that made a difference; an id that nobody wants is of no interest. */
  setForeign(id: string, foreign: boolean): Claim | undefined {
    if (this.#foreign.has(id) === foreign || !this.#claims.has(id)) return undefined;
    if (foreign) this.#foreign.add(id);
    else this.#foreign.delete(id);
    return this.#claims.get(id)?.[0];
  }
}
