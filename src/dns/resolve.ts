import { messageOf } from '../errors.ts';
import type { Logger } from '../runtime/log.ts';
import { emptyReply, type Question, type RelayedReply, type Reply, type Zone } from './zone.ts';

/** A reply and the zone that gave it; `none` if no zone holds the name. */
export interface Resolution {
  readonly zone: string;
  readonly reply: Reply | RelayedReply;
}

/** At most one log line per zone in this time: thousands of queries would log thousands of errors. */
const QUIET_MS = 1_000;

/** The chain of zones: the first one that answers wins. */
export class Resolver {
  readonly #zones: readonly Zone[];
  readonly #log: Pick<Logger, 'error'>;
  readonly #lastLogged = new Map<string, number>();

  constructor(needs: { readonly zones: readonly Zone[]; readonly log: Pick<Logger, 'error'> }) {
    this.#zones = needs.zones;
    this.#log = needs.log;
  }

  /** Answers every question: REFUSED if no zone holds the name, SERVFAIL if its zone fails. Never throws. */
  async resolve(question: Question): Promise<Resolution> {
    // All our names are of class IN; ANY matches it (RFC 1035 §3.2.5).
    if (question.class !== 'IN' && question.class !== 'ANY')
      return { zone: 'none', reply: emptyReply('REFUSED') };
    for (const zone of this.#zones) {
      try {
        const reply = await zone.resolve(question);
        if (reply) return { zone: zone.name, reply };
      } catch (error) {
        this.#logFailure(zone.name, question, error);
        return { zone: zone.name, reply: emptyReply('SERVFAIL') };
      }
    }
    return { zone: 'none', reply: emptyReply('REFUSED') };
  }

  #logFailure(zone: string, { asked, type }: Question, error: unknown): void {
    const now = performance.now();
    if (now - (this.#lastLogged.get(zone) ?? Number.NEGATIVE_INFINITY) < QUIET_MS) return;
    this.#lastLogged.set(zone, now);
    this.#log.error({ zone }, `cannot answer ${type} ${asked}: ${messageOf(error)}`);
  }
}
