import { setTimeout as delay } from 'node:timers/promises';
import { HeddleError } from '../../errors.ts';
import { formatListen } from '../listen.ts';
import { isWithin } from '../wire/name.ts';
import { emptyReply, type Question, type Resolved, type Zone } from '../zone.ts';
import { type CacheOptions, ForwardCache } from './forward-cache.ts';
import { InflightQueries, type InflightQuery, isFailure } from './inflight-queries.ts';
import type { RebindingGuard } from './rebinding.ts';
import { type Route, serversFor } from './routes.ts';
import { unanswered } from './unanswered.ts';
import type { UpstreamClient } from './upstream/client.ts';
import type { Upstream, UpstreamSet } from './upstreams.ts';
import { WaitingSlots } from './waiting-slots.ts';

export interface ForwardNeeds {
  readonly upstreams: { current(): Promise<UpstreamSet> };
  readonly client: Pick<UpstreamClient, 'ask' | 'isLoop'>;
  /** Whether a client is in one of the host's own networks; we forward for no other client. */
  readonly isLocal: (client: string) => boolean;
  /** Whether heddle itself answers at this address. */
  readonly isOwn: (server: Upstream) => boolean;
  /** Checks the answers; without a guard, all are relayed. */
  readonly guard?: Pick<RebindingGuard, 'screen'> | undefined;
}

export interface ForwardOptions {
  /** Domains that are answered here and never forwarded. */
  readonly ownDomains: readonly string[];
  /** Domains with servers of their own. */
  readonly routes?: readonly Route[];
  readonly cache?: CacheOptions;
}

/** How long a fresh answer is awaited before a stale one is served (RFC 8767 §5: less than a client waits). */
const PATIENCE_MS = 1_800;

/** All other names: forwards queries of clients in the host's own networks to the host's upstream servers. */
export class ForwardZone implements Zone {
  readonly name = 'forward';
  readonly #needs: ForwardNeeds;
  readonly #ownDomains: readonly string[];
  readonly #routes: readonly Route[];
  readonly #cache: ForwardCache;
  readonly #serverKeys = new WeakMap<UpstreamSet, string>();
  readonly #inflight: InflightQueries;
  readonly #slots = new WaitingSlots();

  constructor(needs: ForwardNeeds, { ownDomains, routes = [], cache }: ForwardOptions) {
    this.#needs = needs;
    this.#ownDomains = ownDomains.map((domain) => domain.toLowerCase());
    this.#routes = routes;
    this.#cache = new ForwardCache(cache);
    const { client, guard } = needs;
    this.#inflight = new InflightQueries({
      client: guard ? screened(client, guard) : client,
      now: cache?.now ?? (() => performance.now()),
    });
  }

  async resolve(question: Question): Promise<Resolved> {
    if (!this.#isOurs(question)) return emptyReply('REFUSED');
    if (this.#needs.client.isLoop(question)) {
      throw new HeddleError('refused', 'forwarding loop: an upstream server sent this query back to us');
    }
    const upstreams = await this.#upstreamsFor(question.name);
    const [key, from] = [keyOf(question), this.#serverKeyOf(upstreams)];
    const remembered = this.#cache.get(key, from);
    if (remembered?.fresh) return remembered;
    if (!this.#slots.take(question.client, from)) {
      if (remembered) return { message: remembered.message };
      const { taken } = this.#slots;
      throw unanswered(`too many queries: ${taken} clients are already waiting for upstream servers`);
    }
    try {
      const areSilent = this.#inflight.areSilent(from);
      const asking = this.#ask({ key, question, upstreams, from });
      if (!remembered) return { message: await asking };
      const answer = await withTimeout(asking, areSilent ? 0 : PATIENCE_MS);
      if (answer === undefined) this.#inflight.markSilent(from);
      return { message: answer && !isFailure(answer) ? answer : remembered.message };
    } finally {
      this.#slots.release(question.client, from);
    }
  }

  /** The upstream servers' answer. */
  #ask({ key, question, upstreams, from }: Omit<InflightQuery, 'onAnswer' | 'marks'>): Promise<Buffer> {
    return this.#inflight.ask({
      key: `${key} ${from}`,
      // Part of the key, or two heddles forwarding to each other would deadlock: each would join its own pending query.
      marks: marksOf(question),
      question,
      upstreams,
      from,
      onAnswer: (message) => this.#cache.put(key, { question, message, from }),
    });
  }

  async #upstreamsFor(name: string): Promise<UpstreamSet> {
    const routed = serversFor(this.#routes, name);
    if (routed.length === 0) return await this.#needs.upstreams.current();
    return { servers: routed.filter((server) => !this.#needs.isOwn(server)) };
  }

  /** The cache key of a set of servers, made once for each set. */
  #serverKeyOf(upstreams: UpstreamSet): string {
    const known = this.#serverKeys.get(upstreams);
    if (known !== undefined) return known;
    const name = upstreams.servers.map(formatListen).join(' ');
    this.#serverKeys.set(upstreams, name);
    return name;
  }

  /** Whether this query is forwarded for this client. */
  #isOurs({ name, type, client, recursionDesired }: Question): boolean {
    // The single label `consul` means a host; it is no public name, and is not forwarded.
    if (name === 'consul' || this.#ownDomains.some((own) => isWithin(name, own))) return false;
    return recursionDesired && type !== 'AXFR' && type !== 'IXFR' && this.#needs.isLocal(client);
  }
}

/** The upstream client, with its answers filtered by the guard. */
function screened(
  client: Pick<UpstreamClient, 'ask'>,
  guard: Pick<RebindingGuard, 'screen'>,
): Pick<UpstreamClient, 'ask'> {
  return {
    ask: async (question, upstreams, onOutOfTurn) =>
      guard.screen(question, await client.ask(question, upstreams, onOutOfTurn)),
  };
}

/** The answer, or undefined if none comes within so many milliseconds. */
async function withTimeout(asking: Promise<Buffer>, milliseconds: number): Promise<Buffer | undefined> {
  const patience = new AbortController();
  const late = delay(milliseconds, undefined, { signal: patience.signal });
  try {
    return await Promise.race([asking, late]);
  } catch {
    return undefined;
  } finally {
    patience.abort();
    for (const loser of [asking, late]) loser.catch(() => {});
  }
}

/** Everything that distinguishes one question from another, except the servers. */
function keyOf({ name, type, class: klass, checkingDisabled, authenticData, edns }: Question): string {
  const [cd, ad] = [checkingDisabled ? ' cd' : '', authenticData ? ' ad' : ''];
  return `${name} ${type} ${klass}${cd}${ad}${edns?.dnssecOk ? ' do' : ''}`;
}

function marksOf({ edns }: Question): string {
  return edns?.loopMarks ? `${Buffer.from(edns.loopMarks).toString('hex')}` : '';
}
