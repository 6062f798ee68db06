/** Somebody who has work to do, piece by piece. */
export interface Worker {
  /** Whose work it is: owners take turns, however many workers they have. */
  readonly owner: object;
  /** Does one piece, and adds itself again where there is another. */
  work(): void;
}

/** Pieces of work in one turn of the event loop, after which datagrams and timers have theirs. */
const PIECES_PER_TURN = 64;
/** The same in milliseconds, for pieces that take long. */
const TURN_MS = 5;
/** Pieces between two looks at the clock. */
const PIECES_PER_LOOK = 8;

/** Shares turns of the event loop among owners: they do one piece each, in a circle. */
export class Turns {
  /** In the order of their turn. */
  readonly #waiting = new Map<object, Set<Worker>>();
  #turn: NodeJS.Immediate | undefined;
  readonly #turnMs: number;

  constructor(turnMs = TURN_MS) {
    this.#turnMs = turnMs;
  }

  /** Puts a worker in the circle; one that is in it keeps its place. */
  add(worker: Worker): void {
    const workers = this.#waiting.get(worker.owner);
    if (workers) workers.add(worker);
    else this.#waiting.set(worker.owner, new Set([worker]));
    this.#turn ??= setImmediate(() => this.#takeTurn());
  }

  remove(worker: Worker): void {
    const workers = this.#waiting.get(worker.owner);
    workers?.delete(worker);
    if (workers?.size === 0) this.#waiting.delete(worker.owner);
  }

  #takeTurn(): void {
    this.#turn = undefined;
    const end = performance.now() + this.#turnMs;
    for (let piece = 0; piece < PIECES_PER_TURN && this.#waiting.size > 0; piece += 1) {
      if (piece % PIECES_PER_LOOK === PIECES_PER_LOOK - 1 && performance.now() > end) break;
      this.#doOne();
    }
    if (this.#waiting.size > 0) this.#turn ??= setImmediate(() => this.#takeTurn());
  }

  /** Takes one piece of the owner whose turn it is, who then is the last, as its worker is among its own. */
  #doOne(): void {
    const [next] = this.#waiting;
    if (!next) return;
    const [owner, workers] = next;
    const [worker] = workers;
    this.#waiting.delete(owner);
    if (!worker) return;
    workers.delete(worker);
    // Behind all the others, and before its worker adds itself again.
    if (workers.size > 0) this.#waiting.set(owner, workers);
    worker.work();
  }
}
