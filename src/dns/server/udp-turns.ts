import { ClientSlots } from '../../runtime/client-slots.ts';
import { Turns, type Worker } from './turns.ts';

/** Questions of one client that start at once in one turn of the event loop: as many as one system call receives. */
const STARTED_AT_ONCE = 64;
/** Milliseconds for waiting questions in one turn of the event loop: the longer, the later the socket is read. */
const TURN_MS = 1;
/** Questions of all clients that wait for their turn. */
const MAX_WAITING = 8_192;

/** Answers a question; reads the packet completely before returning. */
type Work<Answer> = (packet: Buffer) => Promise<Answer>;

/** The waiting questions of one client, and how many were started in this turn. */
class Client implements Worker {
  readonly waiting: (() => void)[] = [];
  started = 0;
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
 * Decides which question over UDP is started next. A client's first questions in a turn start on arrival. Its further
 * questions wait, with clients taking turns; those beyond its share of waiting places are dropped. So a flood delays
 * only its sender, while the socket is emptied for all.
 */
export class UdpTurns {
  readonly #turns = new Turns(TURN_MS);
  readonly #places = new ClientSlots(MAX_WAITING);
  /** Clients that sent a question in this turn, or have one waiting. */
  readonly #clients = new Map<string, Client>();
  #turn: NodeJS.Immediate | undefined;

  /** The answer to a question once its turn comes; undefined if the question is dropped. */
  submit<Answer>(name: string, packet: Buffer, work: Work<Answer>): Promise<Answer> | undefined {
    const client = this.#clientOf(name);
    if (client.waiting.length === 0 && client.started < STARTED_AT_ONCE) {
      client.started += 1;
      return work(packet);
    }
    if (!this.#places.take(name)) return undefined;
    // The buffer is reused for the next packet as soon as this returns.
    const own = Buffer.from(packet);
    return new Promise((resolve) => {
      client.waiting.push(() => {
        this.#places.release(name);
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
      client.started = 0;
      if (client.waiting.length === 0) this.#clients.delete(name);
    }
  }
}
