import type { Question } from '../../zone.ts';
import type { LoopMark } from '../loop-mark.ts';
import type { Exchange, Patience } from './exchange.ts';
import { outgoingOpt, outgoingQuery } from './outgoing.ts';
import type { Result, UpstreamReply } from './reply.ts';
import type { ServerAbility } from './server-abilities.ts';
import type { Server } from './servers.ts';

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

  /** @throws HeddleError `unreachable` when no answer has come in time */
  async ask(asking: Asking): Promise<UpstreamReply> {
    const { manners, health } = asking.server;
    const wasSilent = health.ignoresUs;
    const tried = [manners.first(wasSilent)];
    let cut: UpstreamReply | undefined;
    for (;;) {
      const manner = tried.at(-1) as ServerAbility;
      const reply = await this.#try(asking, manner, tried.length > 1);
      // An answer of which the rest cannot be had is as bad as one that cannot be read.
      const isAnswer = reply.message !== undefined && !reply.isCut;
      const result = reply.isCut ? 'malformed' : reply.result;
      const next = isAnswer ? undefined : this.#next(asking, manner, result);
      cut ??= reply.isCut ? reply : reply.cut;
      if (next === undefined) {
        manners.learn(tried, result, wasSilent);
        return isAnswer ? reply : (cut ?? reply);
      }
      tried.push(next);
    }
  }

  /** How to ask again, if that is of use. */
  #next(
    { server, question, patience, isWanted }: Asking,
    manner: ServerAbility,
    result: Result,
  ): ServerAbility | undefined {
    if (!isWanted() || performance.now() >= patience.until) return undefined;
    const needsEdns = question.edns?.dnssecOk ?? false;
    const needsMark = manner === 'marked' && this.#needs.mark.needs(question);
    return server.manners.next(manner, result, { needsEdns, needsMark });
  }

  #try(
    { server, question, useTcp, patience }: Asking,
    manner: ServerAbility,
    isAgain: boolean,
  ): Promise<UpstreamReply> {
    const { exchange } = this.#needs;
    const query = outgoingQuery(question, this.#opt(question, manner));
    const totalMs = isAgain ? patience.until - performance.now() : patience.totalMs;
    return useTcp
      ? exchange.askOverTcp(server, question, query, totalMs)
      : exchange.ask(server, question, query, isAgain ? { ...patience, totalMs } : patience);
  }

  #opt(question: Question, manner: ServerAbility): Buffer | undefined {
    if (manner === 'plain') return undefined;
    const marks = manner === 'marked' ? this.#needs.mark.onto(question) : undefined;
    return outgoingOpt(marks, question.edns?.dnssecOk ?? false);
  }
}
