import { messageOf } from '../../../errors.ts';
import { formatListen } from '../../listen.ts';
import type { Question } from '../../zone.ts';
import { unanswered } from '../unanswered.ts';
import type { Dialogue } from './dialogue.ts';
import { Busy } from './exchange.ts';
import type { UpstreamReply } from './reply.ts';
import type { Turn } from './server-health.ts';
import type { Server } from './servers.ts';
import type { Ticker, Ticking } from './ticker.ts';

/** Interval of the check for silent servers, and the wait for a server that other queries found silent. */
const TICK_MS = 300;

export interface RaceNeeds {
  readonly dialogue: Pick<Dialogue, 'ask'>;
  readonly isStopped: () => boolean;
  readonly ticker: Pick<Ticker, 'add' | 'delete'>;
}

export interface RaceOptions {
  /** In the order of queries. */
  readonly servers: readonly Server[];
  readonly question: Question;
  readonly useTcp: boolean;
  /** Milliseconds for each server. */
  readonly timeoutMs: number;
  /** How often each server is queried until one answers. */
  readonly attempts: number;
  /** The minimum total wait in milliseconds, once all servers have been queried. */
  readonly patienceMs: number;
}

/** The outcome of a question. */
export interface Outcome {
  /** The first helpful answer, or the best of those that are not. */
  readonly reply: UpstreamReply;
  /** Whether a server before the answering one has not answered: that server may know more. */
  readonly isOutOfTurn: boolean;
}

/** A server that has been queried. */
interface Runner {
  readonly turn: Turn;
  readonly askedAt: number;
  /** `over` once the server has answered, `failed` if it could not be queried. */
  state: 'asked' | 'over' | 'failed';
  isLate: boolean;
}

/**
 * One question to several servers. Each server is queried when the turns of those before it are over. The first helpful
 * answer of any server is taken, however late it comes.
 */
export class Race implements Ticking {
  readonly #needs: RaceNeeds;
  readonly #options: RaceOptions;
  readonly #runners: (Runner | undefined)[];
  #failures: Set<string> | undefined;
  readonly #startedAt: number;
  readonly #end = Promise.withResolvers<Outcome>();
  /** Turns begun, in all attempts. */
  #turns = 0;
  #latest: Runner | undefined;
  #unhelpful: UpstreamReply | undefined;
  /** An absence that waits for the servers before the one that reports it. */
  #absence: { readonly rank: number; readonly reply: UpstreamReply } | undefined;
  /** When the ticker calls `tick` next. */
  dueAt = Number.POSITIVE_INFINITY;
  #isOver = false;

  constructor(needs: RaceNeeds, options: RaceOptions) {
    this.#needs = needs;
    this.#options = options;
    this.#runners = options.servers.map(() => undefined);
    this.#startedAt = performance.now();
  }

  /** @throws HeddleError `unreachable` with the failure of each server */
  run(): Promise<Outcome> {
    this.#needs.ticker.add(this);
    this.#proceed(this.#startedAt);
    return this.#end.promise;
  }

  /** Queries the servers whose turn it is, and waits for the next turn. */
  #proceed(now: number): void {
    if (this.#latest) this.#checkSilence(now);
    const { servers, attempts } = this.#options;
    while (!this.#isOver && this.#turns < servers.length * attempts && this.#mayRepeat()) {
      const rank = this.#turns % servers.length;
      this.#turns += 1;
      const runner = this.#launch(rank, now);
      if (runner === undefined) continue;
      this.#latest = runner;
      if (this.#turnEnd(runner) > now) break;
    }
    this.#wait(now);
  }

  /** Whether another round may begin: not after a server has answered that it cannot help. */
  #mayRepeat(): boolean {
    return this.#turns < this.#options.servers.length || this.#unhelpful === undefined;
  }

  #launch(rank: number, askedAt: number): Runner | undefined {
    const { servers, question, useTcp, timeoutMs, attempts, patienceMs } = this.#options;
    const server = servers[rank] as Server;
    const { health } = server;
    const wasSilent = health.isSilent;
    const isNeeded = wasSilent && servers.every((each) => each.health.isSilent);
    const turn = health.begin(timeoutMs, isNeeded);
    if (turn === undefined) return undefined;
    const runner: Runner = { turn, askedAt, state: 'asked', isLate: false };
    this.#runners[rank] = runner;
    const all = Math.max(patienceMs, servers.length * attempts * timeoutMs);
    const totalMs = Math.max(timeoutMs, all - (askedAt - this.#startedAt));
    const patience = { totalMs, until: askedAt + totalMs, tcpMs: timeoutMs };
    const isWanted = () => !this.#isOver;
    this.#needs.dialogue.ask({ server, question, patience, useTcp, isWanted }).then(
      (reply) => {
        health.answered(askedAt);
        if (wasSilent) health.endProbe();
        this.#receive(rank, runner, reply);
      },
      (error) => {
        this.#recordFailure(server, askedAt, error);
        if (wasSilent) health.endProbe();
        this.#fail(runner, error);
      },
    );
    return runner;
  }

  #recordFailure({ health }: Server, askedAt: number, error: unknown): void {
    if (performance.now() - askedAt >= this.#options.timeoutMs) health.timedOut(askedAt);
    else if (!(error instanceof Busy) && !this.#needs.isStopped()) health.failed(askedAt);
  }

  #receive(rank: number, runner: Runner, reply: UpstreamReply): void {
    if (this.#isOver) return;
    runner.state = 'over';
    if (reply.message === undefined || reply.isCut) {
      if (reply.isCut || this.#unhelpful === undefined) this.#unhelpful = reply;
      this.#pass(runner);
    } else if (!reply.isAbsence) this.#finish(rank, reply);
    else {
      if (this.#absence === undefined || rank < this.#absence.rank) this.#absence = { rank, reply };
      this.#wait(performance.now());
    }
  }

  #fail(runner: Runner, error: unknown): void {
    if (this.#isOver) return;
    runner.state = 'failed';
    this.#failed(messageOf(error));
    if (this.#needs.isStopped()) this.#giveUp();
    else this.#pass(runner);
  }

  /** Ends the turn of a server without a helpful answer. */
  #pass(runner: Runner): void {
    if (runner === this.#latest) this.#proceed(performance.now());
    else this.#wait(performance.now());
  }

  /** Does what is due now, and schedules the next tick. */
  #wait(now: number): void {
    if (this.#isOver) return;
    if (now > this.#startedAt) this.#checkSilence(now);
    if (this.#absence && this.#mayReturnAbsence(this.#absence.rank, now)) {
      this.#finish(this.#absence.rank, this.#absence.reply);
      return;
    }
    const hasTurns = this.#turns < this.#options.servers.length * this.#options.attempts && this.#mayRepeat();
    const until = hasTurns ? this.#turnEnd(this.#latest) : this.#lastMoment();
    const isDue = until <= now || !this.#isAnyAsked();
    if (isDue && !hasTurns) this.#giveUp();
    else if (isDue) this.#proceed(performance.now());
    else this.dueAt = Math.min(until, now + this.#tickMs());
  }

  /** Called by the ticker at `dueAt`. */
  tick(): void {
    const isOnTurn = this.#latest && this.#turnEnd(this.#latest) > performance.now();
    if (isOnTurn) this.#wait(performance.now());
    else this.#proceed(performance.now());
  }

  #tickMs(): number {
    return Math.min(TICK_MS, this.#options.timeoutMs);
  }

  /** When the turn of the last queried server ends; the last server of a round has its full timeout. */
  #turnEnd(runner: Runner | undefined): number {
    if (runner === undefined) return Number.NEGATIVE_INFINITY;
    const { servers, timeoutMs } = this.#options;
    const isLast = this.#turns % servers.length === 0;
    const server = servers[(this.#turns - 1) % servers.length] as Server;
    // Other queries have found it silent since.
    const isSilent = server.health.isSilent && runner.turn.nextMs === timeoutMs;
    const nextMs = isLast ? timeoutMs : isSilent ? TICK_MS : runner.turn.nextMs;
    return runner.askedAt + Math.min(timeoutMs, nextMs);
  }

  #lastMoment(): number {
    const { timeoutMs, patienceMs } = this.#options;
    return Math.max((this.#latest?.askedAt ?? 0) + timeoutMs, this.#startedAt + patienceMs);
  }

  /** Reports servers as late after their usual time, and as timed out after their timeout. */
  #checkSilence(now: number): void {
    for (const [rank, runner] of this.#runners.entries()) {
      if (runner?.state !== 'asked') continue;
      const { health } = this.#options.servers[rank] as Server;
      const waited = now - runner.askedAt;
      if (!runner.isLate && waited >= Math.min(this.#options.timeoutMs, health.headStartMs)) {
        runner.isLate = true;
        health.isLate(runner.askedAt);
      }
      if (waited >= this.#options.timeoutMs) health.timedOut(runner.askedAt);
    }
  }

  /** Whether an absence may be returned: no earlier server is still worth waiting for. */
  #mayReturnAbsence(rank: number, now: number): boolean {
    return this.#runners.slice(0, rank).every((runner, before) => {
      if (runner?.state !== 'asked') return true;
      const { health } = this.#options.servers[before] as Server;
      const holdsMs = health.isSilent ? Math.min(TICK_MS, runner.turn.holdsMs) : runner.turn.holdsMs;
      return now - runner.askedAt >= holdsMs;
    });
  }

  #failed(why: string): void {
    this.#failures ??= new Set();
    this.#failures.add(why);
  }

  #isAnyAsked(): boolean {
    return this.#runners.some((runner) => runner?.state === 'asked');
  }

  #finish(rank: number, reply: UpstreamReply): void {
    this.#isOver = true;
    this.#needs.ticker.delete(this);
    this.#end.resolve({ reply, isOutOfTurn: rank > 0 });
  }

  #giveUp(): void {
    if (this.#isOver) return;
    if (this.#absence) {
      this.#finish(this.#absence.rank, this.#absence.reply);
      return;
    }
    this.#isOver = true;
    this.#needs.ticker.delete(this);
    if (this.#unhelpful) {
      this.#end.resolve({ reply: this.#unhelpful, isOutOfTurn: true });
      return;
    }
    for (const [rank, runner] of this.#runners.entries()) {
      if (runner?.state !== 'asked') continue;
      this.#failed(`${formatListen((this.#options.servers[rank] as Server).upstream)}: no answer in time`);
    }
    const why =
      [...(this.#failures ?? [])].join('; ') ||
      'no upstream server is configured (resolv.conf lists none but heddle)';
    this.#end.reject(unanswered(`no upstream server answered: ${why}`));
  }
}
