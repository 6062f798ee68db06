import { HeddleError, messageOf } from '../errors.ts';
import { exchange } from './exchange.ts';
import { outgoingQuery } from './outgoing.ts';
import { relayedRcode } from './relay.ts';
import type { Upstream } from './upstreams.ts';
import { bare, type Question, RCODES, type Resolved, type Zone } from './zone.ts';

export interface ForwardNeeds {
  readonly upstreams: { list(): Promise<readonly Upstream[]> };
  /** Whether a client is in one of the host's own networks: for others we are no resolver. */
  readonly isLocal: (client: string) => boolean;
}

export interface ForwardOptions {
  /** Domains that are answered here and never asked for elsewhere. */
  readonly ownDomains: readonly string[];
  /** Milliseconds given to each upstream. */
  readonly timeoutMs?: number;
  /** Questions that are out at the same time, each with a socket; further ones fail at once. */
  readonly maxOutstanding?: number;
}

/** Codes by which a server says that it cannot answer, as opposed to what the answer is: another one may. */
const UNHELPFUL: ReadonlySet<number> = new Set([
  RCODES.FORMERR,
  RCODES.SERVFAIL,
  RCODES.NOTIMP,
  RCODES.REFUSED,
]);

/** All other names: asked from the host's own resolvers, on behalf of clients in the host's own networks. */
export class ForwardZone implements Zone {
  readonly name = 'forward';
  readonly #needs: ForwardNeeds;
  readonly #ownDomains: readonly string[];
  readonly #timeoutMs: number;
  readonly #maxOutstanding: number;
  readonly #stopping = new AbortController();
  #outstanding = 0;

  constructor(needs: ForwardNeeds, { ownDomains, timeoutMs = 2_000, maxOutstanding = 512 }: ForwardOptions) {
    this.#needs = needs;
    this.#ownDomains = ownDomains.map((domain) => domain.toLowerCase());
    this.#timeoutMs = timeoutMs;
    this.#maxOutstanding = maxOutstanding;
  }

  async resolve(question: Question): Promise<Resolved> {
    if (!this.#isOurs(question)) return bare('REFUSED');
    if (this.#outstanding >= this.#maxOutstanding) {
      throw new HeddleError(
        'unreachable',
        `${this.#outstanding} questions are waiting for upstreams already`,
      );
    }
    this.#outstanding += 1;
    try {
      return { message: await this.#ask(question) };
    } finally {
      this.#outstanding -= 1;
    }
  }

  /** Gives up on all that is outstanding. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Whether this question is one that we ask for this client. */
  #isOurs({ name, type, client, recursionDesired }: Question): boolean {
    // The bare word `consul` is a host that people mean, and no name of the public tree.
    if (name === 'consul' || this.#ownDomains.some((own) => name === own || name.endsWith(`.${own}`)))
      return false;
    return recursionDesired && type !== 'AXFR' && type !== 'IXFR' && this.#needs.isLocal(client);
  }

  /** The first helpful answer in the order of the upstreams, else the first of any kind. */
  async #ask(question: Question): Promise<Buffer> {
    const failures: string[] = [];
    let unhelpful: Buffer | undefined;
    for (const upstream of await this.#needs.upstreams.list()) {
      const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(this.#timeoutMs)]);
      try {
        const reply = await exchange(upstream, outgoingQuery(question), signal);
        if (!UNHELPFUL.has(relayedRcode(reply))) return reply;
        unhelpful ??= reply;
      } catch (error) {
        failures.push(messageOf(error));
      }
      if (this.#stopping.signal.aborted) break;
    }
    if (unhelpful) return unhelpful;
    const why = failures.join('; ') || 'resolv.conf names no resolver but ourselves';
    throw new HeddleError('unreachable', `no upstream answered: ${why}`);
  }
}
