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
  /** Whether the answer is still needed. */
  readonly isWanted: () => boolean;
}

/** Queries one server in a form that it accepts: if it rejects a form, again immediately in a simpler one. */
export class Dialogue {
  readonly #needs: DialogueNeeds;

  constructor(needs: DialogueNeeds) {
    this.#needs = needs;
  }

  /** @throws HeddleError `unreachable` if no answer comes in time */
  async ask(asking: Asking): Promise<UpstreamReply> {
    const { abilities, health } = asking.server;
    const wasSilent = health.ignoresUs;
    const tried = [abilities.first(wasSilent)];
    let cut: UpstreamReply | undefined;
    for (;;) {
      const ability = tried.at(-1) as ServerAbility;
      const reply = await this.#try(asking, ability, tried.length > 1);
      // A truncated answer whose rest is unavailable counts as malformed.
      const isAnswer = reply.message !== undefined && !reply.isCut;
      const result = reply.isCut ? 'malformed' : reply.result;
      const next = isAnswer ? undefined : this.#next(asking, ability, result);
      cut ??= reply.isCut ? reply : reply.cut;
      if (next === undefined) {
        abilities.learn(tried, result, wasSilent);
        return isAnswer ? reply : (cut ?? reply);
      }
      tried.push(next);
    }
  }

  /** The form of the next attempt, or undefined if a retry is of no use. */
  #next(
    { server, question, patience, isWanted }: Asking,
    ability: ServerAbility,
    result: Result,
  ): ServerAbility | undefined {
    if (!isWanted() || performance.now() >= patience.until) return undefined;
    const needsEdns = question.edns?.dnssecOk ?? false;
    const needsMark = ability === 'marked' && this.#needs.mark.needs(question);
    return server.abilities.next(ability, result, { needsEdns, needsMark });
  }

  #try(
    { server, question, useTcp, patience }: Asking,
    ability: ServerAbility,
    isAgain: boolean,
  ): Promise<UpstreamReply> {
    const { exchange } = this.#needs;
    const query = outgoingQuery(question, this.#opt(question, ability));
    const totalMs = isAgain ? patience.until - performance.now() : patience.totalMs;
    return useTcp
      ? exchange.askOverTcp(server, question, query, totalMs)
      : exchange.ask(server, question, query, isAgain ? { ...patience, totalMs } : patience);
  }

  #opt(question: Question, ability: ServerAbility): Buffer | undefined {
    if (ability === 'plain') return undefined;
    const marks = ability === 'marked' ? this.#needs.mark.marksFor(question) : undefined;
    return outgoingOpt(marks, question.edns?.dnssecOk ?? false);
  }
}
