/** Work that is done piece by piece. */
export interface Worker {
  /** Owners take turns, however many workers each has. */
  readonly owner: object;
  /** Does one piece, and adds itself again if more is left. */
  work(): void;
}

/** Pieces of work in one turn of the event loop; then datagrams and timers are handled. */
const PIECES_PER_TURN = 64;
/** The same in milliseconds, for slow pieces. */
const TURN_MS = 5;
/** Pieces between two readings of the clock. */
const PIECES_PER_CLOCK_READ = 8;

/** Shares turns of the event loop among owners: one piece each, round-robin. */
export class Turns {
  /** Workers by owner, in the order of their turns. */
  readonly #waiting = new Map<object, Set<Worker>>();
  #turn: NodeJS.Immediate | undefined;
  readonly #turnMs: number;

  constructor(turnMs = TURN_MS) {
    this.#turnMs = turnMs;
  }

  /** Queues a worker; a worker that is queued already keeps its place. */
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
      if (piece % PIECES_PER_CLOCK_READ === PIECES_PER_CLOCK_READ - 1 && performance.now() > end) break;
      this.#doPiece();
    }
    if (this.#waiting.size > 0) this.#turn ??= setImmediate(() => this.#takeTurn());
  }

  /** Does one piece for the first owner. The owner then moves to the end, and so does the worker among its own. */
  #doPiece(): void {
    const [next] = this.#waiting;
    if (!next) return;
    const [owner, workers] = next;
    const [worker] = workers;
    this.#waiting.delete(owner);
    if (!worker) return;
    workers.delete(worker);
    // The owner moves behind all others before its worker adds itself again.
    if (workers.size > 0) this.#waiting.set(owner, workers);
    worker.work();
  }
}
