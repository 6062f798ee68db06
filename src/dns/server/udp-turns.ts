import { ClientPlaces } from '../../runtime/client-places.ts';
import { Turns, type Worker } from './turns.ts';

/** Questions of one client that are begun as they come in one turn of the event loop: one system call takes as many. */
const AT_ONCE = 64;
/** Milliseconds for those that wait, in one turn of the event loop: the longer, the less is read meanwhile. */
const TURN_MS = 1;
/** Questions that wait for their turn, of all clients. */
const MAX_WAITING = 8_192;

/** What answers a question; the packet is read before it returns. */
type Work<Answer> = (packet: Buffer) => Promise<Answer>;

/** The questions of one client that have not been begun, and how many were begun in this turn. */
class Client implements Worker {
  readonly waiting: (() => void)[] = [];
  begun = 0;
  readonly #turns: Turns;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  get owner(): object {
    return this;
  }

  work(): void {
    this.waiting.shift()?.();
    if (this.waiting.length > 0) this.#turns.add(this);
  }
}

/**
 * Whose question over UDP is worked on next. Those of a client that sends few are begun as they come. What one sends
 * beyond that waits, clients taking turns, and is lost beyond its share of the places: so a flood costs the one
 * who sends it, while the socket is emptied for all.
 */
export class UdpTurns {
  readonly #turns = new Turns(TURN_MS);
  readonly #places = new ClientPlaces(MAX_WAITING);
  /** Those that have sent something in this turn, or have something waiting. */
  readonly #clients = new Map<string, Client>();
  #turn: NodeJS.Immediate | undefined;

  /** What comes of a question when it is its turn; undefined where it is lost. */
  take<Answer>(name: string, packet: Buffer, work: Work<Answer>): Promise<Answer> | undefined {
    const client = this.#clientOf(name);
    if (client.waiting.length === 0 && client.begun < AT_ONCE) {
      client.begun += 1;
      return work(packet);
    }
    if (!this.#places.take(name)) return undefined;
    // The packet's bytes are the next one's as soon as this returns.
    const own = Buffer.from(packet);
    return new Promise((resolve) => {
      client.waiting.push(() => {
        this.#places.leave(name);
        resolve(work(own));
      });
      this.#turns.add(client);
    });
  }

  #clientOf(name: string): Client {
    this.#turn ??= setImmediate(() => this.#endTurn());
    const known = this.#clients.get(name);
    if (known) return known;
    const client = new Client(this.#turns);
    this.#clients.set(name, client);
    return client;
  }

  #endTurn(): void {
    this.#turn = undefined;
    for (const [name, client] of this.#clients) {
      client.begun = 0;
      if (client.waiting.length === 0) this.#clients.delete(name);
    }
  }
}
