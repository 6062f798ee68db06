import { messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import { Counters, type DnsCounters } from './counters.ts';
import { type Query, readQuery } from './message.ts';
import type { RateLimit } from './rate-limit.ts';
import { relay, relayedRcode } from './relay.ts';
import { encodeCut, encodeReply } from './reply.ts';
import type { Resolution } from './resolve.ts';
import { bare, type Question, RCODES } from './zone.ts';

export interface ResponderNeeds {
  readonly resolver: { resolve(question: Question): Promise<Resolution> };
  /** Whether recursion is offered to this client: the RA bit. */
  readonly recursionFor: (client: string) => boolean;
  /** How much strangers are answered over UDP; without one, all. */
  readonly limit?: Pick<RateLimit, 'judge'>;
  readonly log: Pick<Logger, 'error'>;
}

/** Answers that other servers still owe us, over all clients; beyond it queries fail at once. */
const MAX_PENDING = 4096;

const RCODE_NAMES = new Map(Object.entries(RCODES).map(([name, number]) => [number as number, name]));

/** From the bytes of a packet to the bytes of its answer, whatever the transport. */
export class Responder {
  readonly #needs: ResponderNeeds;
  readonly #counters = new Counters();
  #pending = 0;

  constructor(needs: ResponderNeeds) {
    this.#needs = needs;
  }

  get counters(): DnsCounters {
    return this.#counters.read();
  }

  /** The answer to a packet, or undefined where silence is the answer. Never throws. */
  async respond(packet: Buffer, client: string, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    const received = readQuery(packet, client, transport);
    if (!received) {
      this.#counters.dropped();
      return undefined;
    }
    if ('rejection' in received) {
      this.#counters.rejected();
      return received.rejection;
    }
    const { query } = received;
    const recursion = this.#needs.recursionFor(client);
    const verdict = transport === 'udp' ? this.#needs.limit?.judge(client, query.question.type) : 'answer';
    if (verdict === 'drop' || verdict === 'cut') {
      this.#counters.limited();
      return verdict === 'cut' ? encodeCut(query, recursion) : undefined;
    }
    const { zone, reply } = await this.#resolve(query.question);
    try {
      if ('message' in reply) {
        const rcode = relayedRcode(reply.message);
        this.#counters.answered(zone, query.question.type, RCODE_NAMES.get(rcode) ?? `RCODE${rcode}`);
        return relay(query, reply.message);
      }
      this.#counters.answered(zone, query.question.type, reply.rcode);
      return encodeReply(query, reply, recursion);
    } catch (error) {
      return this.#failed(query, recursion, error);
    }
  }

  async #resolve(question: Question): Promise<Resolution> {
    // RFC 6891 §6.1.3: versions above ours are refused by name, whatever the question.
    if (question.edns && question.edns.version > 0) return { zone: 'none', reply: bare('BADVERS') };
    if (this.#pending >= MAX_PENDING) return { zone: 'none', reply: bare('SERVFAIL') };
    this.#pending += 1;
    try {
      return await this.#needs.resolver.resolve(question);
    } finally {
      this.#pending -= 1;
    }
  }

  #failed(query: Query, recursion: boolean, error: unknown): Buffer {
    const { asked, type } = query.question;
    this.#needs.log.error(`cannot encode the answer to ${type} ${asked}: ${messageOf(error)}`);
    return encodeReply(query, bare('SERVFAIL'), recursion);
  }
}
