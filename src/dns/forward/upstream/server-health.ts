/** The head start of a server that takes long, in times of what it usually takes. */
const PATIENCE_FACTOR = 3;
/** So many questions without an answer for the head start, and none in between, make a server silent. */
const MAX_UNANSWERED = 3;
/** A silent server is waited for by one question in this time; the others ask it and the next one together. */
const WAIT_AGAIN_MS = 2_000;
/** Questions that are out to a silent server: one answer proves it again, so that more are of no use. */
const MAX_PROBES = 8;

/** How long a server that is asked keeps its turn, in milliseconds from then. */
export interface Turn {
  /** When the next server is asked as well. */
  readonly nextMs: number;
  /** Until when an absence that another server reports waits for this one. */
  readonly holdsMs: number;
}

/**
 * Whether one server answers. It is silent once it has answered nothing at all for a while in which it was asked, not
 * by leaving out one name; and it answers again with its first answer.
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

  /** @param headStartMs how long a server that is not known to answer is waited for before the next one is asked, too */
  constructor(headStartMs: number) {
    this.#headStartMs = headStartMs;
  }

  get isSilent(): boolean {
    return this.#state === 'silent';
  }

  /** Whether it says nothing although it can be reached: it may not like how it is asked. */
  get ignoresUs(): boolean {
    return this.isSilent && this.#isReachable;
  }

  /** How long it is normally heard within. */
  get headStartMs(): number {
    return Math.max(this.#headStartMs, PATIENCE_FACTOR * this.#usualMs);
  }

  /** Begins a question. Undefined where it is better not asked; with `isNeeded`, it is asked in any case. */
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

  /** Ends a question to a server that was silent when it began. */
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

  /** A question that was sent at `askedAt` has waited for the head start. */
  isLate(askedAt: number): void {
    if (this.#answeredAt >= askedAt) return;
    this.#unanswered += 1;
    if (this.#unanswered >= MAX_UNANSWERED) this.#fallSilent();
  }

  /** A question that was sent at `askedAt` has waited as long as it may. */
  timedOut(askedAt: number): void {
    if (this.#answeredAt < askedAt) this.#fallSilent();
  }

  /** A question that was sent at `askedAt` cannot reach it. */
  failed(askedAt: number): void {
    if (this.#answeredAt < askedAt) this.#fallSilent(false);
  }

  #fallSilent(isReachable = true): void {
    this.#isReachable = isReachable;
    // The next question that comes waits for it: it may be back.
    if (this.#state !== 'silent') this.#waitedForAt = Number.NEGATIVE_INFINITY;
    this.#state = 'silent';
  }
}
