import { type Question, RCODES } from '../zone.ts';
import { type Exchange, Malformed, type Patience } from './exchange.ts';
import type { LoopMark } from './loop-mark.ts';
import { outgoingOpt, outgoingQuery } from './outgoing.ts';
import type { Manner, Result } from './server-manners.ts';
import type { Server } from './servers.ts';
import type { UpstreamReply } from './upstream-reply.ts';

export interface DialogueNeeds {
  readonly exchange: Pick<Exchange, 'ask' | 'askOverTcp'>;
  readonly mark: LoopMark;
}

/** One question to one server. */
export interface Asking {
  readonly server: Server;
  readonly question: Question;
  readonly patience: Patience;
  readonly useTcp: boolean;
  /** Whether the answer is still of use to anybody. */
  readonly isWanted: () => boolean;
}

/** Asks one server in the manner that it takes: again in a simpler one, at once, where it does not like the first. */
export class Dialogue {
  readonly #needs: DialogueNeeds;

  constructor(needs: DialogueNeeds) {
    this.#needs = needs;
  }

  /** @throws HeddleError `unreachable` when no answer has come in time, as Malformed when it cannot be read */
  async ask(asking: Asking): Promise<UpstreamReply> {
    const { server, question, patience, isWanted } = asking;
    const { manners, health } = server;
    const until = performance.now() + patience.totalMs;
    const wasSilent = health.ignoresUs;
    const needsEdns = question.edns?.dnssecOk ?? false;
    const tried = [manners.first(wasSilent)];
    let left = patience.totalMs;
    let cut: UpstreamReply | undefined;
    for (;;) {
      const manner = tried.at(-1) as Manner;
      const outcome = await this.#try(asking, manner, { ...patience, totalMs: left });
      const result = resultOf(outcome);
      if (!(outcome instanceof Malformed)) cut ??= outcome.isCut ? outcome : outcome.cut;
      const needsMark = manner === 'marked' && this.#needs.mark.needs(question);
      const next = manners.next(manner, result, { needsEdns, needsMark });
      left = until - performance.now();
      if (next === undefined || left <= 0 || !isWanted()) {
        manners.learn(tried, result, wasSilent);
        if (result === RCODES.NOERROR || result === RCODES.NXDOMAIN) return outcome as UpstreamReply;
        if (cut) return cut;
        if (outcome instanceof Malformed) throw outcome;
        return outcome;
      }
      tried.push(next);
    }
  }

  async #try(asking: Asking, manner: Manner, patience: Patience): Promise<UpstreamReply | Malformed> {
    const { server, question, useTcp } = asking;
    const { exchange } = this.#needs;
    const query = outgoingQuery(question, this.#opt(question, manner));
    try {
      return useTcp
        ? await exchange.askOverTcp(server, question, query, patience.totalMs)
        : await exchange.ask(server, question, query, patience);
    } catch (error) {
      if (error instanceof Malformed) return error;
      throw error;
    }
  }

  #opt(question: Question, manner: Manner): Buffer | undefined {
    if (manner === 'plain') return undefined;
    const marks = manner === 'marked' ? this.#needs.mark.onto(question) : undefined;
    return outgoingOpt(marks, question.edns?.dnssecOk ?? false);
  }
}

/** An answer of which the rest cannot be had is as bad as one that cannot be read. */
function resultOf(outcome: UpstreamReply | Malformed): Result {
  return outcome instanceof Malformed || outcome.isCut ? 'malformed' : outcome.rcode;
}
