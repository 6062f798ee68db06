/** Askers that wait for other servers at the same time, over all of them. */
const MAX_WAITING = 2_048;
/** Of those who wait for the same servers: a domain whose servers are silent leaves some for the other domains. */
const MAX_WAITING_FOR_ONE = 1_536;
/** What one client has at most, as a part of the places that are still free: the more ask, the less each has. */
const CLIENT_SHARE = 0.25;

/**
 * The places in which askers wait for other servers. Nobody can take them all: each client has a share of those that
 * are free, so that some are left however many others ask.
 */
export class WaitingPlaces {
  #taken = 0;
  readonly #takenFor = new Map<string, number>();
  readonly #takenBy = new Map<string, number>();

  get taken(): number {
    return this.#taken;
  }

  /** Takes a place for a client who waits for these servers, if there is one for him; the result gives it back. */
  take(client: string, servers: string): (() => void) | undefined {
    const by = `${client} ${servers}`;
    const free = MAX_WAITING_FOR_ONE - (this.#takenFor.get(servers) ?? 0);
    if (this.#taken >= MAX_WAITING || free <= 0) return undefined;
    if ((this.#takenBy.get(by) ?? 0) >= CLIENT_SHARE * free) return undefined;
    this.#count(by, servers, 1);
    return () => this.#count(by, servers, -1);
  }

  #count(by: string, servers: string, change: 1 | -1): void {
    this.#taken += change;
    add(this.#takenFor, servers, change);
    add(this.#takenBy, by, change);
  }
}

function add(counts: Map<string, number>, key: string, change: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
