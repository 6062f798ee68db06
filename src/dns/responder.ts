import { messageOf } from '../errors.ts';
import { ClientPlaces } from '../runtime/client-places.ts';
import type { Logger } from '../runtime/log.ts';
import type { AnswerCache } from './cache/answer-cache.ts';
import { fixedTemplate, templateOf } from './cache/answer-template.ts';
import { type CacheKey, circumstancesOf, keyOf } from './cache/cache-key.ts';
import { relay, relayedRcode } from './forward/relay.ts';
import type { Resolution } from './resolve.ts';
import { Counters, type DnsCounters } from './server/counters.ts';
import type { RateLimit, Verdict } from './server/rate-limit.ts';
import { UdpTurns } from './server/udp-turns.ts';
import { HEADER_BYTES, type Query, readQuery } from './wire/message.ts';
import { encodeCut, encodeReply, encodeWhole } from './wire/reply.ts';
import { emptyReply, type Question, type RelayedReply, type Reply, rcodeName } from './zone.ts';

export interface ResponderNeeds {
  readonly resolver: { resolve(question: Question): Promise<Resolution> };
  /** Whether recursion is offered to this client: the RA bit. */
  readonly recursionFor: (client: string) => boolean;
  /** How much strangers are answered over UDP; without one, all. */
  readonly limit?: Pick<RateLimit, 'judge'>;
  /** Answers that were encoded before; without one, each is encoded anew. */
  readonly cache?: AnswerCache;
  readonly log: Pick<Logger, 'error'>;
}

type Answer = Buffer | undefined;

interface Asked {
  readonly client: string;
  readonly transport: 'udp' | 'tcp';
  readonly recursion: boolean;
  /** Where the answer is kept; undefined where it is not. */
  readonly key: CacheKey | undefined;
  /** When the client has been judged already. */
  readonly verdict?: Verdict;
}

/** Questions without an answer yet, of which clients have shares; beyond these they fail at once. */
const MAX_PENDING = 8192;

/** So many answers take long to work out: where their order cannot be changed, it is kept for a while all the same. */
const [MANY, MANY_KEPT_MS] = [128, 1_000];

/** From the bytes of a packet to the bytes of its answer, whatever the transport. */
export class Responder {
  readonly #needs: ResponderNeeds;
  readonly #counters = new Counters();
  readonly #pending = new ClientPlaces(MAX_PENDING);
  readonly #turns = new UdpTurns();

  constructor(needs: ResponderNeeds) {
    this.#needs = needs;
  }

  get counters(): DnsCounters {
    return this.#counters.read();
  }

  /**
   * The answer to a packet, or undefined where silence is the answer; at once where it is known. Never throws. The
   * packet is read before this returns.
   */
  respond(packet: Buffer, client: string, transport: 'udp' | 'tcp'): Answer | Promise<Answer> {
    const recursion = this.#needs.recursionFor(client);
    const { cache } = this.#needs;
    const circumstances = circumstancesOf(transport, recursion);
    const kept = cache?.find(packet, circumstances);
    const verdict = kept && this.#judge(kept.type, { client, transport, recursion });
    if (cache && kept && verdict === 'answer') {
      kept.tally.count += 1;
      return cache.answer(kept, packet);
    }
    const begin = (own: Buffer) => {
      const key = cache && keyOf(own, circumstances);
      return this.#answer(own, { client, transport, recursion, key, ...(verdict && { verdict }) });
    };
    if (transport === 'tcp') return begin(packet);
    const answer = this.#turns.take(client, packet, begin);
    if (answer === undefined) this.#counters.limited();
    return answer;
  }

  async #answer(packet: Buffer, asked: Asked): Promise<Answer> {
    const { client, transport, recursion } = asked;
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
    const { type } = query.question;
    const verdict = asked.verdict ?? this.#judge(type, asked);
    if (verdict !== 'answer') {
      this.#counters.limited();
      return verdict === 'cut' ? encodeCut(query, recursion) : undefined;
    }
    const { zone, reply } = await this.#resolve(query.question);
    try {
      return 'message' in reply
        ? this.#relay(query, zone, reply, asked)
        : this.#encode(query, zone, reply, asked);
    } catch (error) {
      return this.#failed(query, recursion, error);
    }
  }

  #relay(query: Query, zone: string, reply: RelayedReply, { key, recursion }: Asked): Buffer {
    const { type, bytes } = query.question;
    const rcode = relayedRcode(reply.message);
    const tally = this.#counters.tally(zone, type, rcodeName(rcode) ?? `RCODE${rcode}`);
    tally.count += 1;
    const message = relay(query, reply.message, recursion);
    const { stillTrue } = reply;
    if (key && stillTrue) {
      const template = fixedTemplate(message, HEADER_BYTES + bytes.length);
      this.#needs.cache?.keep(key, { template, type, tally, stillTrue });
    }
    return message;
  }

  #encode(query: Query, zone: string, reply: Reply, { key, recursion }: Asked): Buffer {
    const { type } = query.question;
    const tally = this.#counters.tally(zone, type, reply.rcode);
    tally.count += 1;
    const message = encodeReply(query, reply, recursion);
    const { stillTrue } = reply;
    if (!key || !stillTrue) return message;
    const template = templateOfReply(query, reply, message, recursion);
    if (template) this.#needs.cache?.keep(key, { template, type, tally, stillTrue });
    else if (reply.answers.length >= MANY) {
      const until = performance.now() + MANY_KEPT_MS;
      const isKept = () => performance.now() < until && stillTrue();
      const fixed = fixedTemplate(message, HEADER_BYTES + query.question.bytes.length);
      this.#needs.cache?.keep(key, { template: fixed, type, tally, stillTrue: isKept });
    }
    return message;
  }

  /** Strangers, to whom no recursion is offered, are counted over UDP alone: over TCP their addresses are real. */
  #judge(type: string, asked: Pick<Asked, 'client' | 'transport' | 'recursion'>): Verdict {
    const { client, transport, recursion } = asked;
    return transport === 'udp' && !recursion
      ? (this.#needs.limit?.judge(client, type) ?? 'answer')
      : 'answer';
  }

  async #resolve(question: Question): Promise<Resolution> {
    // RFC 6891 §6.1.3: versions above ours are refused by name, whatever the question.
    if (question.edns && question.edns.version > 0) return { zone: 'none', reply: emptyReply('BADVERS') };
    const { client } = question;
    if (!this.#pending.take(client)) return { zone: 'none', reply: emptyReply('SERVFAIL') };
    try {
      return await this.#needs.resolver.resolve(question);
    } finally {
      this.#pending.leave(client);
    }
  }

  #failed(query: Query, recursion: boolean, error: unknown): Buffer {
    const { asked, type } = query.question;
    this.#needs.log.error(`cannot encode the answer to ${type} ${asked}: ${messageOf(error)}`);
    return encodeReply(query, emptyReply('SERVFAIL'), recursion);
  }
}

function templateOfReply(query: Query, reply: Reply, message: Buffer, recursion: boolean) {
  // One that was cut, and has records behind its answers, cannot be kept: they would have to follow their answers.
  if (reply.additionals.length > 0 && message.readUInt16BE(6) < reply.answers.length) return undefined;
  const questionEnd = HEADER_BYTES + query.question.bytes.length;
  return templateOf(message, questionEnd, () => encodeWhole(query, reply, recursion));
}
