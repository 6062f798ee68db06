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

/** How often it is looked at who is silent, and how long a server that others found silent is waited for. */
const TICK_MS = 300;

export interface RaceNeeds {
  readonly dialogue: Pick<Dialogue, 'ask'>;
  readonly isStopped: () => boolean;
  readonly ticker: Pick<Ticker, 'add' | 'delete'>;
}

export interface RaceOptions {
  /** In the order to ask them. */
  readonly servers: readonly Server[];
  readonly question: Question;
  readonly useTcp: boolean;
  /** Milliseconds that a server has for itself. */
  readonly timeoutMs: number;
  /** How often each server is asked until one answers. */
  readonly attempts: number;
  /** Milliseconds for which an answer is waited for at least, once all have been asked. */
  readonly patienceMs: number;
}

/** What came of a question. */
export interface Outcome {
  /** The first helpful answer, or the best of those that are not. */
  readonly reply: UpstreamReply;
  /** Whether a server before the one that answered has not: it may know better. */
  readonly isOutOfTurn: boolean;
}

/** A server that has been asked. */
interface Runner {
  readonly turn: Turn;
  readonly askedAt: number;
  /** `over` once it has said what it has to say, `failed` where it could not be asked. */
  state: 'asked' | 'over' | 'failed';
  isLate: boolean;
}

/**
 * One question on its way to several servers: each is asked when those before it have had their turn, and the first
 * helpful answer is taken from whoever gives it, as late as it may come.
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
  /** When to see to it again. */
  dueAt = Number.POSITIVE_INFINITY;
  #isOver = false;

  constructor(needs: RaceNeeds, options: RaceOptions) {
    this.#needs = needs;
    this.#options = options;
    this.#runners = options.servers.map(() => undefined);
    this.#startedAt = performance.now();
  }

  /** @throws HeddleError `unreachable` with what each server did */
  run(): Promise<Outcome> {
    this.#needs.ticker.add(this);
    this.#proceed(this.#startedAt);
    return this.#end.promise;
  }

  /** Asks whoever's turn it is, and waits for the next turn. */
  #proceed(now: number): void {
    if (this.#latest) this.#lookAtSilence(now);
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

  /** Whether all are asked once more: not where one has said that it cannot. */
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
        this.#hear(rank, runner, reply);
      },
      (error) => {
        this.#note(server, askedAt, error);
        if (wasSilent) health.endProbe();
        this.#fail(runner, error);
      },
    );
    return runner;
  }

  #note({ health }: Server, askedAt: number, error: unknown): void {
    if (performance.now() - askedAt >= this.#options.timeoutMs) health.timedOut(askedAt);
    else if (!(error instanceof Busy) && !this.#needs.isStopped()) health.failed(askedAt);
  }

  #hear(rank: number, runner: Runner, reply: UpstreamReply): void {
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

  /** A server that has nothing to say leaves its turn to the next one. */
  #pass(runner: Runner): void {
    if (runner === this.#latest) this.#proceed(performance.now());
    else this.#wait(performance.now());
  }

  /** Sees to what is due now, and comes back when the next thing is. */
  #wait(now: number): void {
    if (this.#isOver) return;
    if (now > this.#startedAt) this.#lookAtSilence(now);
    if (this.#absence && this.#mayGive(this.#absence.rank, now)) {
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

  /** Does what is due. */
  tick(): void {
    const isOnTurn = this.#latest && this.#turnEnd(this.#latest) > performance.now();
    if (isOnTurn) this.#wait(performance.now());
    else this.#proceed(performance.now());
  }

  #tickMs(): number {
    return Math.min(TICK_MS, this.#options.timeoutMs);
  }

  /** When the server that was asked last has had its turn; the last one of all has all the time there is. */
  #turnEnd(runner: Runner | undefined): number {
    if (runner === undefined) return Number.NEGATIVE_INFINITY;
    const { servers, timeoutMs } = this.#options;
    const isLast = this.#turns % servers.length === 0;
    const server = servers[(this.#turns - 1) % servers.length] as Server;
    // Others found out meanwhile that it is silent.
    const isSilent = server.health.isSilent && runner.turn.nextMs === timeoutMs;
    const nextMs = isLast ? timeoutMs : isSilent ? TICK_MS : runner.turn.nextMs;
    return runner.askedAt + Math.min(timeoutMs, nextMs);
  }

  #lastMoment(): number {
    const { timeoutMs, patienceMs } = this.#options;
    return Math.max((this.#latest?.askedAt ?? 0) + timeoutMs, this.#startedAt + patienceMs);
  }

  /** Tells of servers that have said nothing for as long as they usually need, and for as long as they may. */
  #lookAtSilence(now: number): void {
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

  /** Whether an absence need not wait for a server before this one any more. */
  #mayGive(rank: number, now: number): boolean {
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
    const why = [...(this.#failures ?? [])].join('; ') || 'no resolver is known but ourselves';
    this.#end.reject(unanswered(`no upstream answered: ${why}`));
  }
}
