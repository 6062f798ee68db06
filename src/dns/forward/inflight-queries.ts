import { LRUCache } from 'lru-cache';
import { HEADER_BYTES } from '../wire/message.ts';
import { recordsOf } from '../wire/records.ts';
import { type Question, RCODES } from '../zone.ts';
import { relayedRcode } from './relay.ts';
import type { UpstreamClient } from './upstream/client.ts';
import type { UpstreamSet } from './upstreams.ts';

export interface InflightNeeds {
  readonly client: Pick<UpstreamClient, 'ask'>;
  /** A monotonic clock, in milliseconds. */
  readonly now: () => number;
}

export interface InflightQuery {
  /** The same for all queries that may share an outcome. */
  readonly key: string;
  /** The loop marks of the received query; only queries with the same marks share an outcome. */
  readonly marks: string;
  readonly question: Question;
  readonly upstreams: UpstreamSet;
  /** The key of these servers. */
  readonly from: string;
  /** Called with the answer, unless it is a failure. */
  readonly onAnswer: (message: Buffer) => void;
}

/** How long a failure is cached before the servers are queried again: at least one second (RFC 9520 §3.2). */
const FAILED_MS = 2_000;
/** Limits on cached failures (any number of names can fail), and on sets of silent servers, which are few. */
const [MAX_FAILED, MAX_SILENT] = [4_096, 64];

/**
 * How many queries for one question but with different marks are in flight at once, besides the one without marks. Each
 * further one makes forging an answer easier, and any client can invent marks. Above the limit, a query joins an earlier
 * one.
 */
const MAX_MARKED = 4;

type Failure = { readonly until: number } & ({ readonly message: Buffer } | { readonly error: unknown });

/**
 * The queries in flight to upstream servers. Identical queries share one, and a query that failed is not sent again
 * immediately.
 */
export class InflightQueries {
  readonly #needs: InflightNeeds;
  readonly #inFlight = new Map<string, Promise<Buffer>>();
  /** The queries in flight that came with marks. */
  readonly #marked = new Map<string, Set<Promise<Buffer>>>();
  readonly #failed = new LRUCache<string, Failure>({ max: MAX_FAILED });
  readonly #silent = new LRUCache<string, true>({ max: MAX_SILENT });

  constructor(needs: InflightNeeds) {
    this.#needs = needs;
  }

  /** Whether these servers have answered nothing since a client last waited for them in vain. */
  areSilent(from: string): boolean {
    return this.#silent.has(from);
  }

  /** Records that a client has waited for these servers without an answer. */
  markSilent(from: string): void {
    this.#silent.set(from, true);
  }

  /** The servers' answer; a failure comes without records. Rejects as the client does. */
  ask(inquiry: InflightQuery): Promise<Buffer> {
    const { key, marks } = inquiry;
    const failure = this.#failed.get(key) ?? (marks && this.#failed.get(keyOf(inquiry)));
    if (failure && this.#needs.now() < failure.until) {
      return 'message' in failure ? Promise.resolve(failure.message) : Promise.reject(failure.error);
    }
    const asked = this.#inFlight.get(keyOf(inquiry));
    if (asked || marks === '') return asked ?? this.#begin(inquiry);
    const marked = this.#marked.get(key) ?? new Set();
    if (marked.size >= MAX_MARKED)
      return this.#inFlight.get(key) ?? (marked.values().next().value as Promise<Buffer>);
    const asking = this.#begin(inquiry);
    marked.add(asking);
    this.#marked.set(key, marked);
    const forget = () => {
      marked.delete(asking);
      if (marked.size === 0) this.#marked.delete(key);
    };
    asking.then(forget, forget);
    return asking;
  }

  #begin(inquiry: InflightQuery): Promise<Buffer> {
    const asking = this.#outcome(inquiry);
    this.#inFlight.set(keyOf(inquiry), asking);
    return asking;
  }

  async #outcome(inquiry: InflightQuery): Promise<Buffer> {
    const { question, upstreams, from, onAnswer } = inquiry;
    const { client, now } = this.#needs;
    try {
      let isOutOfTurn = false;
      const message = await client.ask(question, upstreams, () => {
        isOutOfTurn = true;
      });
      this.#silent.delete(from);
      if (!isFailure(message)) {
        // A name that a later server does not know may exist for an earlier one, which has not answered.
        if (!isOutOfTurn || hasAnswer(message, question)) onAnswer(message);
        return message;
      }
      const bare = withoutRecords(message, question);
      this.#failed.set(keyOf(inquiry), { message: bare, until: now() + FAILED_MS });
      return bare;
    } catch (error) {
      this.markSilent(from);
      this.#failed.set(keyOf(inquiry), { error, until: now() + FAILED_MS });
      throw error;
    } finally {
      this.#inFlight.delete(keyOf(inquiry));
    }
  }
}

function keyOf({ key, marks }: InflightQuery): string {
  return marks === '' ? key : `${key} ${marks}`;
}

/** Whether a message states neither records nor their absence: it counts as no answer (RFC 8767 §4). */
export function isFailure(message: Uint8Array): boolean {
  const rcode = relayedRcode(message);
  return rcode !== RCODES.NOERROR && rcode !== RCODES.NXDOMAIN;
}

/** Whether a message has records of the queried type, not only their absence. */
function hasAnswer(message: Buffer, { type, bytes }: Question): boolean {
  if (relayedRcode(message) !== RCODES.NOERROR) return false;
  const records = recordsOf(message, HEADER_BYTES + bytes.length);
  return records.some((record) => record.section === 'answer' && (record.type === type || type === 'ANY'));
}

/** Header and question only: a failing server must not control the size of what is cached. */
function withoutRecords(message: Buffer, question: Question): Buffer {
  const bare = Buffer.from(message.subarray(0, HEADER_BYTES + question.bytes.length));
  return bare.fill(0, 6, HEADER_BYTES);
}
