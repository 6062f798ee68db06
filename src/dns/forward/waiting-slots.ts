import { ClientSlots } from '../../runtime/client-slots.ts';

/** Clients that wait for upstream servers at the same time, in total. */
const MAX_WAITING = 2_048;
/** Clients that wait for the same servers: a domain with silent servers leaves slots for other domains. */
const MAX_WAITING_FOR_ONE = 1_536;

/** Slots for clients that wait for upstream servers. Clients share the slots of each set of servers. */
export class WaitingSlots {
  #taken = 0;
  readonly #queues = new Map<string, ClientSlots>();

  get taken(): number {
    return this.#taken;
  }

  /** Takes a slot for a client that waits for these servers. @returns false if none is available to it */
  take(client: string, servers: string): boolean {
    const queue = this.#queues.get(servers) ?? new ClientSlots(MAX_WAITING_FOR_ONE);
    if (this.#taken >= MAX_WAITING || !queue.take(client)) return false;
    this.#taken += 1;
    this.#queues.set(servers, queue);
    return true;
  }

  /** Releases a slot that was taken. */
  release(client: string, servers: string): void {
    const queue = this.#queues.get(servers);
    if (queue === undefined) return;
    this.#taken -= 1;
    queue.release(client);
    if (queue.taken === 0) this.#queues.delete(servers);
  }
}
