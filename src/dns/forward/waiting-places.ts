import { ClientPlaces } from '../../runtime/client-places.ts';

/** Askers that wait for other servers at the same time, over all of them. */
const MAX_WAITING = 2_048;
/** Of those who wait for the same servers: a domain whose servers are silent leaves some for the other domains. */
const MAX_WAITING_FOR_ONE = 1_536;

/** The places in which askers wait for other servers: for each set of servers, clients have shares of them. */
export class WaitingPlaces {
  #taken = 0;
  readonly #queues = new Map<string, ClientPlaces>();

  get taken(): number {
    return this.#taken;
  }

  /** Takes a place for a client who waits for these servers. False where there is none for him. */
  take(client: string, servers: string): boolean {
    const queue = this.#queues.get(servers) ?? new ClientPlaces(MAX_WAITING_FOR_ONE);
    if (this.#taken >= MAX_WAITING || !queue.take(client)) return false;
    this.#taken += 1;
    this.#queues.set(servers, queue);
    return true;
  }

  /** Gives back a place that was taken. */
  leave(client: string, servers: string): void {
    const queue = this.#queues.get(servers);
    if (queue === undefined) return;
    this.#taken -= 1;
    queue.leave(client);
    if (queue.taken === 0) this.#queues.delete(servers);
  }
}
