import { HeddleError, messageOf } from '../../errors.ts';
import { formatListen } from '../listen.ts';
import { HEADER_BYTES } from '../wire/message.ts';
import { extendedRcode, withoutOpt } from '../wire/records.ts';
import { type Question, RCODES } from '../zone.ts';
import { Exchange } from './exchange.ts';
import { LoopMark } from './loop-mark.ts';
import { outgoingOpt, outgoingQuery } from './outgoing.ts';
import { relayedRcode } from './relay.ts';
import type { Upstream, UpstreamSet } from './upstreams.ts';

export interface UpstreamClientOptions {
  /** Milliseconds given to each server, each time, where its set says nothing. */
  readonly timeoutMs?: number;
  /** How often each server is asked until one answers, where its set says nothing: a packet may be lost. */
  readonly attempts?: number;
  /** Questions that are out at the same time; further ones fail at once. */
  readonly maxOutstanding?: number;
  readonly now?: () => number;
}

/** Codes by which a server says that it cannot answer, as opposed to what the answer is: another one may. */
const UNHELPFUL: ReadonlySet<number> = new Set([
  RCODES.FORMERR,
  RCODES.SERVFAIL,
  RCODES.NOTIMP,
  RCODES.REFUSED,
]);
/** A server that was silent is asked after all others for so long, in milliseconds. */
const AVOID_MS = 30_000;
/** Servers whose silence is remembered: more than any host has. */
const MAX_AVOIDED = 64;

/** Asks other servers on behalf of our askers: one after the other, again where none answers, never ourselves. */
export class UpstreamClient {
  readonly #timeoutMs: number;
  readonly #attempts: number;
  readonly #maxOutstanding: number;
  readonly #now: () => number;
  readonly #exchange = new Exchange();
  readonly #mark = new LoopMark();
  readonly #silentUntil = new Map<string, number>();
  #outstanding = 0;
  #turn = 0;
  #isStopped = false;

  constructor(options: UpstreamClientOptions = {}) {
    this.#timeoutMs = options.timeoutMs ?? 2_000;
    this.#attempts = options.attempts ?? 2;
    this.#maxOutstanding = options.maxOutstanding ?? 4_096;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Whether one of those that we asked now asks us the same: it must be answered at once, or both wait. */
  hasComeRound(question: Question): boolean {
    return this.#mark.hasComeRound(question);
  }

  /**
   * The first helpful answer in the order of the servers, else the first of any kind; without an OPT record, its id
   * and letter case any.
   * @throws HeddleError `unreachable` with what each server did
   */
  async ask(question: Question, upstreams: UpstreamSet): Promise<Buffer> {
    if (this.#outstanding >= this.#maxOutstanding) {
      throw new HeddleError(
        'unreachable',
        `${this.#outstanding} questions are waiting for upstreams already`,
      );
    }
    this.#outstanding += 1;
    try {
      return await this.#askAll(question, upstreams);
    } finally {
      this.#outstanding -= 1;
    }
  }

  /** Gives up on all that is outstanding. */
  stop(): void {
    this.#isStopped = true;
    this.#exchange.stop();
  }

  async #askAll(question: Question, upstreams: UpstreamSet): Promise<Buffer> {
    const { attempts = this.#attempts, timeoutMs = this.#timeoutMs } = upstreams;
    const servers = upstreams.rotate ? this.#rotated(upstreams.servers) : upstreams.servers;
    const failures = new Set<string>();
    let unhelpful: Buffer | undefined;
    for (let attempt = 0; attempt < attempts && !unhelpful; attempt += 1) {
      for (const server of this.#inOrder(servers)) {
        if (this.#isStopped) break;
        try {
          const reply = await this.#askOne(server, question, timeoutMs);
          if (this.#silentUntil.size > 0) this.#silentUntil.delete(formatListen(server));
          if (!UNHELPFUL.has(relayedRcode(reply))) return reply;
          unhelpful ??= reply;
        } catch (error) {
          this.#avoid(server);
          failures.add(messageOf(error));
        }
      }
    }
    if (unhelpful) return unhelpful;
    const why = [...failures].join('; ') || 'no resolver is known but ourselves';
    throw new HeddleError('unreachable', `no upstream answered: ${why}`);
  }

  async #askOne(server: Upstream, question: Question, timeoutMs: number): Promise<Buffer> {
    const deadline = performance.now() + timeoutMs;
    const start = HEADER_BYTES + question.bytes.length;
    const opt = outgoingOpt(this.#mark.onto(question), question.edns?.dnssecOk ?? false);
    const reply = await this.#exchange.ask(server, outgoingQuery(question, opt), timeoutMs);
    const refusesEdns =
      relayedRcode(reply) === RCODES.FORMERR ||
      relayedRcode(reply) === RCODES.NOTIMP ||
      extendedRcode(reply, start) > 0;
    if (!refusesEdns) return withoutOpt(reply, start);
    // Servers from before EDNS take its record for an error (RFC 6891 §7).
    const left = deadline - performance.now();
    return withoutOpt(await this.#exchange.ask(server, outgoingQuery(question), left), start);
  }

  /** Each question begins with the next one. */
  #rotated(servers: readonly Upstream[]): readonly Upstream[] {
    this.#turn = (this.#turn + 1) % Math.max(1, servers.length);
    return [...servers.slice(this.#turn), ...servers.slice(0, this.#turn)];
  }

  /** Those that were silent lately come last. */
  #inOrder(servers: readonly Upstream[]): readonly Upstream[] {
    if (this.#silentUntil.size === 0) return servers;
    const now = this.#now();
    const isSilent = (server: Upstream) => (this.#silentUntil.get(formatListen(server)) ?? 0) > now;
    return [...servers.filter((server) => !isSilent(server)), ...servers.filter(isSilent)];
  }

  #avoid(server: Upstream): void {
    if (this.#silentUntil.size >= MAX_AVOIDED) this.#silentUntil.clear();
    this.#silentUntil.set(formatListen(server), this.#now() + AVOID_MS);
  }
}
