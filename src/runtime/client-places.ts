/** What one client has at most, as a part of the places that are still free: the more ask, the less each has. */
const CLIENT_SHARE = 0.25;

/**
 * So many places in which clients wait. Nobody can take them all: each client has a share of those that are free, so
 * that some are left however many others ask.
 */
export class ClientPlaces {
  readonly #max: number;
  readonly #byClient = new Map<string, number>();
  #taken = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Takes a place for a client. False where there is none for him. */
  take(client: string): boolean {
    const taken = this.#byClient.get(client) ?? 0;
    if (taken >= CLIENT_SHARE * (this.#max - this.#taken)) return false;
    this.#taken += 1;
    this.#byClient.set(client, taken + 1);
    return true;
  }

  /** Gives back a place that was taken. */
  leave(client: string): void {
    const taken = this.#byClient.get(client);
    if (taken === undefined) return;
    this.#taken -= 1;
    if (taken > 1) this.#byClient.set(client, taken - 1);
    else this.#byClient.delete(client);
  }
}
