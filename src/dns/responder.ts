import { messageOf } from '../errors.ts';
import { ClientSlots } from '../runtime/client-slots.ts';
import type { Logger } from '../runtime/log.ts';
import type { AnswerCache } from './cache/answer-cache.ts';
import { fixedTemplate, templateOf } from './cache/answer-template.ts';
import { type CacheKey, cacheKeyOf, circumstancesOf } from './cache/cache-key.ts';
import { relay, relayedRcode } from './forward/relay.ts';
import type { Resolution } from './resolve.ts';
import { Counters, type DnsCounters } from './server/counters.ts';
import type { RateLimit, Verdict } from './server/rate-limit.ts';
import { UdpTurns } from './server/udp-turns.ts';
import { HEADER_BYTES, type Query, readQuery } from './wire/message.ts';
import { encodeReply, encodeTruncated, encodeWhole } from './wire/reply.ts';
import { emptyReply, type Question, type RelayedReply, type Reply, rcodeName } from './zone.ts';

export interface ResponderNeeds {
  readonly resolver: { resolve(question: Question): Promise<Resolution> };
  /** Whether recursion is offered to this client: the RA bit. */
  readonly recursionFor: (client: string) => boolean;
  /** Limits UDP answers to external clients; without it, all are answered. */
  readonly limit?: Pick<RateLimit, 'judge'>;
  /** Caches encoded answers; without it, each answer is encoded anew. */
  readonly cache?: AnswerCache;
  readonly log: Pick<Logger, 'error'>;
}

type Answer = Buffer | undefined;

interface Asked {
  readonly client: string;
  readonly transport: 'udp' | 'tcp';
  readonly recursion: boolean;
  /** The key under which the answer is cached; undefined if it is not cached. */
  readonly key: CacheKey | undefined;
  /** Present if the rate limit has judged the client already. */
  readonly verdict?: Verdict;
}

/** Unanswered questions, shared among clients; a client's questions beyond its share fail at once. */
const MAX_PENDING = 8192;

/**
 * This many answers are expensive to encode. If their order cannot change byte by byte, the encoded message is cached
 * for a short time all the same.
 */
const [MANY_ANSWERS, MANY_CACHED_MS] = [128, 1_000];

/** Turns the bytes of a packet into the bytes of its answer, for UDP and TCP. */
export class Responder {
  readonly #needs: ResponderNeeds;
  readonly #counters = new Counters();
  readonly #pending = new ClientSlots(MAX_PENDING);
  readonly #turns = new UdpTurns();

  constructor(needs: ResponderNeeds) {
    this.#needs = needs;
  }

  get counters(): DnsCounters {
    return this.#counters.read();
  }

  /**
   * The answer to a packet; undefined if none is sent. A cached answer is returned at once, without a promise. Never
   * throws. Reads the packet completely before returning.
   */
  respond(packet: Buffer, client: string, transport: 'udp' | 'tcp'): Answer | Promise<Answer> {
    const recursion = this.#needs.recursionFor(client);
    const { cache } = this.#needs;
    const circumstances = circumstancesOf(transport, recursion);
    const cached = cache?.find(packet, circumstances);
    const verdict = cached && this.#judge(cached.type, { client, transport, recursion });
    if (cache && cached && verdict === 'answer') {
      cached.tally.count += 1;
      return cache.answer(cached, packet);
    }
    const start = (own: Buffer) => {
      const key = cache && cacheKeyOf(own, circumstances);
      return this.#answer(own, { client, transport, recursion, key, ...(verdict && { verdict }) });
    };
    if (transport === 'tcp') return start(packet);
    const answer = this.#turns.submit(client, packet, start);
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
      return verdict === 'truncate' ? encodeTruncated(query, recursion) : undefined;
    }
    const { zone, reply } = await this.#resolve(query.question);
    try {
      return 'message' in reply
        ? this.#relay(query, zone, reply, asked)
        : this.#encode(query, zone, reply, asked);
    } catch (error) {
      return this.#encodingFailed(query, recursion, error);
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
      this.#needs.cache?.store(key, { template, type, tally, stillTrue });
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
    if (template) this.#needs.cache?.store(key, { template, type, tally, stillTrue });
    else if (reply.answers.length >= MANY_ANSWERS) {
      const until = performance.now() + MANY_CACHED_MS;
      const isCached = () => performance.now() < until && stillTrue();
      const fixed = fixedTemplate(message, HEADER_BYTES + query.question.bytes.length);
      this.#needs.cache?.store(key, { template: fixed, type, tally, stillTrue: isCached });
    }
    return message;
  }

  /** Limits external clients, which get no recursion, and only over UDP: over TCP an address cannot be forged. */
  #judge(type: string, asked: Pick<Asked, 'client' | 'transport' | 'recursion'>): Verdict {
    const { client, transport, recursion } = asked;
    return transport === 'udp' && !recursion
      ? (this.#needs.limit?.judge(client, type) ?? 'answer')
      : 'answer';
  }

  async #resolve(question: Question): Promise<Resolution> {
    // RFC 6891 §6.1.3: EDNS versions above ours get BADVERS, whatever the question.
    if (question.edns && question.edns.version > 0) return { zone: 'none', reply: emptyReply('BADVERS') };
    const { client } = question;
    if (!this.#pending.take(client)) return { zone: 'none', reply: emptyReply('SERVFAIL') };
    try {
      return await this.#needs.resolver.resolve(question);
    } finally {
      this.#pending.release(client);
    }
  }

  #encodingFailed(query: Query, recursion: boolean, error: unknown): Buffer {
    const { asked, type } = query.question;
    this.#needs.log.error(`cannot encode the answer to ${type} ${asked}: ${messageOf(error)}`);
    return encodeReply(query, emptyReply('SERVFAIL'), recursion);
  }
}

function templateOfReply(query: Query, reply: Reply, message: Buffer, recursion: boolean) {
  // A truncated reply with additional records cannot be a template: the additionals depend on which answers are sent.
  if (reply.additionals.length > 0 && message.readUInt16BE(6) < reply.answers.length) return undefined;
  const questionEnd = HEADER_BYTES + query.question.bytes.length;
  return templateOf(message, questionEnd, () => encodeWhole(query, reply, recursion));
}
