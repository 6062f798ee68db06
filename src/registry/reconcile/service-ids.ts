/** A container's claim to a SERVICE_ID, for its service with this generated id. */
export interface Claim {
  readonly container: string;
  readonly generatedId: string;
}

/**
 * Assigns each SERVICE_ID to one service. On this host the first claim wins. If the id belongs to another owner in the
 * registry, no service here gets it.
 */
export class ServiceIds {
  /** By SERVICE_ID, in the order of arrival. */
  readonly #claims = new Map<string, Claim[]>();
  readonly #foreign = new Set<string>();

  /** All SERVICE_IDs that services here request. */
  requested(): Iterable<string> {
    return this.#claims.keys();
  }

  claim(id: string, claim: Claim): void {
    const claims = this.#claims.get(id);
    if (claims === undefined) this.#claims.set(id, [claim]);
    else claims.push(claim);
  }

  /** Withdraws a claim; returns the claim that is first now, if any. */
  release(id: string, generatedId: string): Claim | undefined {
    const left = (this.#claims.get(id) ?? []).filter((claim) => claim.generatedId !== generatedId);
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

  /** Returns the first claim if the change affects it. An id without claims is ignored. */
  setForeign(id: string, foreign: boolean): Claim | undefined {
    if (this.#foreign.has(id) === foreign || !this.#claims.has(id)) return undefined;
    if (foreign) this.#foreign.add(id);
    else this.#foreign.delete(id);
    return this.#claims.get(id)?.[0];
  }
}
