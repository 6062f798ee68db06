import { LRUCache } from 'lru-cache';
import { HEADER_BYTES } from '../wire/message.ts';
import { recordsOf } from '../wire/records.ts';
import { type Question, RCODES } from '../zone.ts';
import { relayedRcode } from './relay.ts';
import type { UpstreamClient } from './upstream/client.ts';
import type { UpstreamSet } from './upstreams.ts';

export interface InquiriesNeeds {
  readonly client: Pick<UpstreamClient, 'ask'>;
  /** Milliseconds, of any clock that never goes back. */
  readonly now: () => number;
}

export interface Inquiry {
  /** The same for all who may share what comes of it. */
  readonly key: string;
  /** The loop marks that the question came with; those who have the same ones share what comes of it. */
  readonly marks: string;
  readonly question: Question;
  readonly upstreams: UpstreamSet;
  /** A word for these servers. */
  readonly from: string;
  /** Hears the answer, if it is one. */
  readonly learn: (message: Buffer) => void;
}

/** How long a failure is given again before anybody is asked anew: one second at least (RFC 9520 §3.2). */
const FAILED_MS = 2_000;
/** Failures that are kept, since endless names can fail; and sets of servers that were silent, which are few. */
const [MAX_FAILED, MAX_SILENT] = [4_096, 64];

/**
 * The same question with different marks is asked so many times at once, beside the one without: each more makes a
 * forged answer easier, and anybody can invent marks. Beyond it, whoever asks waits for what was asked before.
 */
const MAX_MARKED = 4;

type Failure = { readonly until: number } & ({ readonly message: Buffer } | { readonly error: unknown });

/**
 * The questions that are out to other servers: the same one is asked once for all who ask it meanwhile, and one that
 * failed is not asked again at once.
 */
export class Inquiries {
  readonly #needs: InquiriesNeeds;
  readonly #asking = new Map<string, Promise<Buffer>>();
  /** Of these, the ones that came with marks. */
  readonly #marked = new Map<string, Set<Promise<Buffer>>>();
  readonly #failed = new LRUCache<string, Failure>({ max: MAX_FAILED });
  readonly #silent = new LRUCache<string, true>({ max: MAX_SILENT });

  constructor(needs: InquiriesNeeds) {
    this.#needs = needs;
  }

  /** Whether these servers have said nothing since they were last waited for in vain. */
  areSilent(from: string): boolean {
    return this.#silent.has(from);
  }

  /** Tells that somebody has waited for these servers as long as he could. */
  waitedInVain(from: string): void {
    this.#silent.set(from, true);
  }

  /** What the servers say, a failure of theirs without any record. Rejects as the client does. */
  ask(inquiry: Inquiry): Promise<Buffer> {
    const { key, marks } = inquiry;
    const failure = this.#failed.get(key) ?? (marks && this.#failed.get(keyOf(inquiry)));
    if (failure && this.#needs.now() < failure.until) {
      return 'message' in failure ? Promise.resolve(failure.message) : Promise.reject(failure.error);
    }
    const asked = this.#asking.get(keyOf(inquiry));
    if (asked || marks === '') return asked ?? this.#begin(inquiry);
    const marked = this.#marked.get(key) ?? new Set();
    if (marked.size >= MAX_MARKED)
      return this.#asking.get(key) ?? (marked.values().next().value as Promise<Buffer>);
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

  #begin(inquiry: Inquiry): Promise<Buffer> {
    const asking = this.#outcome(inquiry);
    this.#asking.set(keyOf(inquiry), asking);
    return asking;
  }

  async #outcome(inquiry: Inquiry): Promise<Buffer> {
    const { question, upstreams, from, learn } = inquiry;
    const { client, now } = this.#needs;
    try {
      let isOutOfTurn = false;
      const message = await client.ask(question, upstreams, () => {
        isOutOfTurn = true;
      });
      this.#silent.delete(from);
      if (!isFailure(message)) {
        // What is absent for a server that only stands in may be there for the one that it stands in for.
        if (!isOutOfTurn || hasAnswer(message, question)) learn(message);
        return message;
      }
      const bare = withoutRecords(message, question);
      this.#failed.set(keyOf(inquiry), { message: bare, until: now() + FAILED_MS });
      return bare;
    } catch (error) {
      this.waitedInVain(from);
      this.#failed.set(keyOf(inquiry), { error, until: now() + FAILED_MS });
      throw error;
    } finally {
      this.#asking.delete(keyOf(inquiry));
    }
  }
}

function keyOf({ key, marks }: Inquiry): string {
  return marks === '' ? key : `${key} ${marks}`;
}

/** Whether a message says neither what there is nor that there is nothing: as good as no answer (RFC 8767 §4). */
export function isFailure(message: Uint8Array): boolean {
  const rcode = relayedRcode(message);
  return rcode !== RCODES.NOERROR && rcode !== RCODES.NXDOMAIN;
}

/** Whether a message holds what was asked for, and not only that there is none. */
function hasAnswer(message: Buffer, { type, bytes }: Question): boolean {
  if (relayedRcode(message) !== RCODES.NOERROR) return false;
  const records = recordsOf(message, HEADER_BYTES + bytes.length);
  return records.some((record) => record.section === 'answer' && (record.type === type || type === 'ANY'));
}

/** Header and question alone: what is kept of a failure must not be the failing server's to size. */
function withoutRecords(message: Buffer, question: Question): Buffer {
  const bare = Buffer.from(message.subarray(0, HEADER_BYTES + question.bytes.length));
  return bare.fill(0, 6, HEADER_BYTES);
}
