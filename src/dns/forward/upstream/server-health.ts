/** The head start of a slow server, as a multiple of its usual response time. */
const PATIENCE_FACTOR = 3;
/** A server is silent after so many queries in a row without an answer within the head start. */
const MAX_UNANSWERED = 3;
/** In this time, one query waits for a silent server; other queries go to it and the next server at once. */
const WAIT_AGAIN_MS = 2_000;
/** Limit on queries in flight to a silent server: one answer is enough to end the silence. */
const MAX_PROBES = 8;

/** How long a queried server keeps its turn, in milliseconds from the query. */
export interface Turn {
  /** When the next server is queried as well. */
  readonly nextMs: number;
  /** Until when an absence from another server waits for this server. */
  readonly holdsMs: number;
}

/**
 * Whether one server answers. A server is silent once it has answered no query at all for a while; ignoring one name is
 * not enough. Its first answer ends the silence.
 */
export class ServerHealth {
  #state: 'unknown' | 'answers' | 'silent' = 'unknown';
  #answeredAt = Number.NEGATIVE_INFINITY;
  #waitedForAt = Number.NEGATIVE_INFINITY;
  #usualMs = 0;
  #unanswered = 0;
  #probes = 0;
  #isReachable = true;
  readonly #headStartMs: number;

  /** @param headStartMs the wait for a server that is not known to answer, before the next one is queried as well */
  constructor(headStartMs: number) {
    this.#headStartMs = headStartMs;
  }

  get isSilent(): boolean {
    return this.#state === 'silent';
  }

  /** Whether the server is silent although it is reachable: it may drop this form of query. */
  get ignoresUs(): boolean {
    return this.isSilent && this.#isReachable;
  }

  /** The time within which the server normally answers. */
  get headStartMs(): number {
    return Math.max(this.#headStartMs, PATIENCE_FACTOR * this.#usualMs);
  }

  /** Begins a query. Undefined if the server should be skipped; with `isNeeded` it is never skipped. */
  begin(timeoutMs: number, isNeeded: boolean): Turn | undefined {
    if (this.#state !== 'silent') {
      const nextMs = this.#state === 'answers' ? timeoutMs : Math.min(timeoutMs, this.#headStartMs);
      return { nextMs, holdsMs: timeoutMs };
    }
    if (this.#probes >= MAX_PROBES && !isNeeded) return undefined;
    this.#probes += 1;
    const now = performance.now();
    const isWaitedFor = now - this.#waitedForAt >= WAIT_AGAIN_MS;
    if (isWaitedFor) this.#waitedForAt = now;
    const milliseconds = isWaitedFor ? Math.min(timeoutMs, this.#headStartMs) : 0;
    return { nextMs: milliseconds, holdsMs: milliseconds };
  }

  /** Ends a query that began while the server was silent. */
  endProbe(): void {
    this.#probes -= 1;
  }

  answered(askedAt: number): void {
    this.#answeredAt = performance.now();
    const took = this.#answeredAt - askedAt;
    this.#usualMs += (took - this.#usualMs) / (this.#state === 'unknown' ? 1 : 8);
    this.#state = 'answers';
    this.#unanswered = 0;
  }

  /** A query sent at `askedAt` has had no answer within the head start. */
  isLate(askedAt: number): void {
    if (this.#answeredAt >= askedAt) return;
    this.#unanswered += 1;
    if (this.#unanswered >= MAX_UNANSWERED) this.#fallSilent();
  }

  /** A query sent at `askedAt` has had no answer within its timeout. */
  timedOut(askedAt: number): void {
    if (this.#answeredAt < askedAt) this.#fallSilent();
  }

  /** A query sent at `askedAt` could not reach the server. */
  failed(askedAt: number): void {
    if (this.#answeredAt < askedAt) this.#fallSilent(false);
  }

  #fallSilent(isReachable = true): void {
    this.#isReachable = isReachable;
    // The next query waits for the server: it may be back.
    if (this.#state !== 'silent') this.#waitedForAt = Number.NEGATIVE_INFINITY;
    this.#state = 'silent';
  }
}
