/** Askers that wait for other servers at the same time, over all of them. */
const MAX_WAITING = 2_048;
/** Of those who wait for the same servers: a domain whose servers are silent leaves some for the other domains. */
const MAX_WAITING_FOR_ONE = 1_536;
/** What one client has at most, as a part of the places that are still free: the more ask, the less each has. */
const CLIENT_SHARE = 0.25;

/** Those who wait for the same servers. */
interface Queue {
  taken: number;
  readonly byClient: Map<string, number>;
}

/**
 * The places in which askers wait for other servers. Nobody can take them all: each client has a share of those that
 * are free, so that some are left however many others ask.
 */
export class WaitingPlaces {
  #taken = 0;
  readonly #queues = new Map<string, Queue>();

  get taken(): number {
    return this.#taken;
  }

  /** Takes a place for a client who waits for these servers. False where there is none for him. */
  take(client: string, servers: string): boolean {
    const queue = this.#queues.get(servers);
    const free = MAX_WAITING_FOR_ONE - (queue?.taken ?? 0);
    const taken = queue?.byClient.get(client) ?? 0;
    if (this.#taken >= MAX_WAITING || taken >= CLIENT_SHARE * free) return false;
    this.#taken += 1;
    if (queue) {
      queue.taken += 1;
      queue.byClient.set(client, taken + 1);
    } else this.#queues.set(servers, { taken: 1, byClient: new Map([[client, 1]]) });
    return true;
  }

  /** Gives back a place that was taken. */
  leave(client: string, servers: string): void {
    const queue = this.#queues.get(servers);
    if (queue === undefined) return;
    this.#taken -= 1;
    queue.taken -= 1;
    const left = (queue.byClient.get(client) ?? 1) - 1;
    if (left > 0) queue.byClient.set(client, left);
    else queue.byClient.delete(client);
    if (queue.taken === 0) this.#queues.delete(servers);
  }
}
