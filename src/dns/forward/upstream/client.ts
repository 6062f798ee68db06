import { type Question, RCODES } from '../../zone.ts';
import { LoopMark, mayQueryUs } from '../loop-mark.ts';
import { unanswered } from '../unanswered.ts';
import type { Upstream, UpstreamSet } from '../upstreams.ts';
import { Dialogue } from './dialogue.ts';
import { Exchange } from './exchange.ts';
import { Race } from './race.ts';
import { failure, type UpstreamReply } from './reply.ts';
import { type Server, Servers } from './servers.ts';
import { Ticker } from './ticker.ts';

export interface UpstreamClientOptions {
  /** Milliseconds for each server, each time, unless its set has an own value. */
  readonly timeoutMs?: number;
  /** How often each server is queried until one answers, unless its set has an own value. A packet may be lost. */
  readonly attempts?: number;
  /** Milliseconds for which a server that is not known to answer is queried alone; at most its timeout. */
  readonly headStartMs?: number;
  /** Queries in flight at the same time; further ones fail immediately. */
  readonly maxOutstanding?: number;
  /** A monotonic clock in milliseconds, for what is remembered about servers. */
  readonly now?: () => number;
  /** Whether a server may forward to us, directly or through another; only such servers get our loop mark. */
  readonly mayQueryUs?: (server: Upstream) => boolean;
}

const HEAD_START_MS = 300;
const TIMEOUT_MS = 2_000;
/** Total wait if no timeout is set: slightly less than the five seconds after which clients retry or give up. */
const PATIENCE_MS = 4_800;

/** Queries upstream servers for our clients: one server after the other, and again if none answers. */
export class UpstreamClient {
  readonly #timeoutMs: number | undefined;
  readonly #attempts: number;
  readonly #maxOutstanding: number;
  readonly #exchange = new Exchange();
  readonly #mark = new LoopMark();
  readonly #servers: Servers;
  readonly #raceNeeds: ConstructorParameters<typeof Race>[0];
  #outstanding = 0;
  #turn = 0;
  #isStopped = false;

  constructor(options: UpstreamClientOptions = {}) {
    this.#timeoutMs = options.timeoutMs;
    this.#attempts = options.attempts ?? 2;
    this.#maxOutstanding = options.maxOutstanding ?? 4_096;
    const now = options.now ?? (() => performance.now());
    const mayQuery = options.mayQueryUs ?? (({ ip }) => mayQueryUs(ip));
    this.#servers = new Servers({
      now,
      mayQueryUs: mayQuery,
      headStartMs: options.headStartMs ?? HEAD_START_MS,
    });
    const dialogue = new Dialogue({ exchange: this.#exchange, mark: this.#mark });
    this.#raceNeeds = { dialogue, isStopped: () => this.#isStopped, ticker: new Ticker() };
  }

  /** Whether an upstream server sends our own query back to us: it must fail immediately, or both sides wait. */
  isLoop(question: Question): boolean {
    return this.#mark.isLoop(question);
  }

  /**
   * The first helpful answer in the order of the servers, else the first of any kind. It has no OPT record; its id and
   * letter case are arbitrary. `onOutOfTurn` is called before, if an earlier server has not answered: that server may
   * know more.
   * @throws HeddleError `unreachable` with the failure of each server
   */
  async ask(question: Question, upstreams: UpstreamSet, onOutOfTurn?: () => void): Promise<Buffer> {
    if (this.#outstanding >= this.#maxOutstanding) {
      throw unanswered(`too many queries: ${this.#outstanding} are already waiting for upstream servers`);
    }
    this.#outstanding += 1;
    try {
      const { reply, isOutOfTurn } = await this.#race(question, upstreams).run();
      // With `rotate`, all servers count as equal.
      if (isOutOfTurn && !upstreams.rotate) onOutOfTurn?.();
      return reply.message ?? failure(question, rcodeForAsker(reply));
    } finally {
      this.#outstanding -= 1;
    }
  }

  /** Fails all queries in flight. */
  stop(): void {
    this.#isStopped = true;
    this.#exchange.stop();
  }

  #race(question: Question, upstreams: UpstreamSet): Race {
    const { attempts = this.#attempts, timeoutMs = this.#timeoutMs, useTcp = false } = upstreams;
    return new Race(this.#raceNeeds, {
      servers: this.#inOrder(upstreams),
      question,
      useTcp,
      attempts,
      timeoutMs: timeoutMs ?? TIMEOUT_MS,
      patienceMs: timeoutMs === undefined ? PATIENCE_MS : 0,
    });
  }

  /** With `rotate`, each query begins with the next server. */
  #inOrder({ servers, rotate }: UpstreamSet): readonly Server[] {
    const all = servers.map((server) => this.#servers.of(server));
    if (!rotate) return all;
    this.#turn = (this.#turn + 1) % Math.max(1, all.length);
    return [...all.slice(this.#turn), ...all.slice(0, this.#turn)];
  }
}

/** An error between a server and us, such as FORMERR for our query, becomes SERVFAIL for the client. */
function rcodeForAsker({ result }: UpstreamReply): number {
  return result === RCODES.REFUSED || result === RCODES.NOTIMP ? result : RCODES.SERVFAIL;
}
