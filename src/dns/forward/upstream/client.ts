import { type Question, RCODES } from '../../zone.ts';
import { LoopMark, mayLeadBack } from '../loop-mark.ts';
import { unanswered } from '../unanswered.ts';
import type { Upstream, UpstreamSet } from '../upstreams.ts';
import { Dialogue } from './dialogue.ts';
import { Exchange } from './exchange.ts';
import { Race } from './race.ts';
import { failure, type UpstreamReply } from './reply.ts';
import { type Server, Servers } from './servers.ts';
import { Ticker } from './ticker.ts';

export interface UpstreamClientOptions {
  /** Milliseconds given to each server, each time, where its set says nothing. */
  readonly timeoutMs?: number;
  /** How often each server is asked until one answers, where its set says nothing: a packet may be lost. */
  readonly attempts?: number;
  /** Milliseconds for which a server that is not known to answer is asked alone, at most its time. */
  readonly headStartMs?: number;
  /** Questions that are out at the same time; further ones fail at once. */
  readonly maxOutstanding?: number;
  /** The clock for what is remembered of servers: milliseconds that never go back. */
  readonly now?: () => number;
  /** Whether a server, or one that it asks, may be a resolver that asks us: our loop mark is for these alone. */
  readonly mayAskUs?: (server: Upstream) => boolean;
}

const HEAD_START_MS = 300;
const TIMEOUT_MS = 2_000;
/** Where nobody says how long to wait: a bit less than the five seconds after which clients ask again or give up. */
const PATIENCE_MS = 4_800;

/** Asks other servers on behalf of our askers: one after the other, again where none answers, never ourselves. */
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
    const mayAskUs = options.mayAskUs ?? (({ ip }) => mayLeadBack(ip));
    this.#servers = new Servers({ now, mayAskUs, headStartMs: options.headStartMs ?? HEAD_START_MS });
    const dialogue = new Dialogue({ exchange: this.#exchange, mark: this.#mark });
    this.#raceNeeds = { dialogue, isStopped: () => this.#isStopped, ticker: new Ticker() };
  }

  /** Whether one of those that we asked now asks us the same: it must be answered at once, or both wait. */
  hasComeRound(question: Question): boolean {
    return this.#mark.hasComeRound(question);
  }

  /**
   * The first helpful answer in the order of the servers, else the first of any kind; without an OPT record, its id
   * and letter case any. `onOutOfTurn` is called before, where a server that comes before the one that answered has
   * not answered: it may know better.
   * @throws HeddleError `unreachable` with what each server did
   */
  async ask(question: Question, upstreams: UpstreamSet, onOutOfTurn?: () => void): Promise<Buffer> {
    if (this.#outstanding >= this.#maxOutstanding) {
      throw unanswered(`${this.#outstanding} questions are waiting for upstreams already`);
    }
    this.#outstanding += 1;
    try {
      const { reply, isOutOfTurn } = await this.#race(question, upstreams).run();
      // Servers that take turns are all alike.
      if (isOutOfTurn && !upstreams.rotate) onOutOfTurn?.();
      return reply.message ?? failure(question, rcodeForAsker(reply));
    } finally {
      this.#outstanding -= 1;
    }
  }

  /** Gives up on all that is outstanding. */
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

  /** With `rotate` each question begins with the next one. */
  #inOrder({ servers, rotate }: UpstreamSet): readonly Server[] {
    const all = servers.map((server) => this.#servers.of(server));
    if (!rotate) return all;
    this.#turn = (this.#turn + 1) % Math.max(1, all.length);
    return [...all.slice(this.#turn), ...all.slice(0, this.#turn)];
  }
}

/** What only concerns a server and us, as that it does not understand our query, is SERVFAIL to who asks us. */
function rcodeForAsker({ result }: UpstreamReply): number {
  return result === RCODES.REFUSED || result === RCODES.NOTIMP ? result : RCODES.SERVFAIL;
}
