/** The largest share of the free slots that one client may hold: the more clients, the fewer slots each has. */
const CLIENT_SHARE = 0.25;

/**
 * A bounded number of slots for waiting clients. No client can take them all: each may hold a share of the free ones,
 * so some remain for further clients.
 */
export class ClientSlots {
  readonly #max: number;
  readonly #byClient = new Map<string, number>();
  #taken = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Takes a slot for a client. @returns false if none is available to it */
  take(client: string): boolean {
    const taken = this.#byClient.get(client) ?? 0;
    if (taken >= CLIENT_SHARE * (this.#max - this.#taken)) return false;
    this.#taken += 1;
    this.#byClient.set(client, taken + 1);
    return true;
  }

  /** Releases a slot that the client has taken. */
  release(client: string): void {
    const taken = this.#byClient.get(client);
    if (taken === undefined) return;
    this.#taken -= 1;
    if (taken > 1) this.#byClient.set(client, taken - 1);
    else this.#byClient.delete(client);
  }
}
