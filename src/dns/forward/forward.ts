import { setTimeout as delay } from 'node:timers/promises';
import { HeddleError } from '../../errors.ts';
import { formatListen } from '../listen.ts';
import { isWithin } from '../wire/name.ts';
import { emptyReply, type Question, type Resolved, type Zone } from '../zone.ts';
import { type CacheOptions, ForwardCache } from './forward-cache.ts';
import { Inquiries, type Inquiry, isFailure } from './inquiries.ts';
import type { RebindingGuard } from './rebinding.ts';
import { type Route, serversFor } from './routes.ts';
import { unanswered } from './unanswered.ts';
import type { UpstreamClient } from './upstream/client.ts';
import type { Upstream, UpstreamSet } from './upstreams.ts';
import { WaitingPlaces } from './waiting-places.ts';

export interface ForwardNeeds {
  readonly upstreams: { current(): Promise<UpstreamSet> };
  readonly client: Pick<UpstreamClient, 'ask' | 'hasComeRound'>;
  /** Whether a client is in one of the host's own networks: for others we are no resolver. */
  readonly isLocal: (client: string) => boolean;
  /** Whether we answer there ourselves. */
  readonly isOwn: (server: Upstream) => boolean;
  /** Looks through the answers; without one, all are passed on. */
  readonly guard?: Pick<RebindingGuard, 'screen'> | undefined;
}

export interface ForwardOptions {
  /** Domains that are answered here and never asked for elsewhere. */
  readonly ownDomains: readonly string[];
  /** Domains with servers of their own. */
  readonly routes?: readonly Route[];
  readonly cache?: CacheOptions;
}

/** As long as an old answer waits for a new one (RFC 8767 §5: less than an asker waits). */
const PATIENCE_MS = 1_800;

/** All other names: asked from the host's own resolvers, on behalf of clients in the host's own networks. */
export class ForwardZone implements Zone {
  readonly name = 'forward';
  readonly #needs: ForwardNeeds;
  readonly #ownDomains: readonly string[];
  readonly #routes: readonly Route[];
  readonly #cache: ForwardCache;
  readonly #names = new WeakMap<UpstreamSet, string>();
  readonly #inquiries: Inquiries;
  readonly #places = new WaitingPlaces();

  constructor(needs: ForwardNeeds, { ownDomains, routes = [], cache }: ForwardOptions) {
    this.#needs = needs;
    this.#ownDomains = ownDomains.map((domain) => domain.toLowerCase());
    this.#routes = routes;
    this.#cache = new ForwardCache(cache);
    const { client, guard } = needs;
    this.#inquiries = new Inquiries({
      client: guard ? screened(client, guard) : client,
      now: cache?.now ?? (() => performance.now()),
    });
  }

  async resolve(question: Question): Promise<Resolved> {
    if (!this.#isOurs(question)) return emptyReply('REFUSED');
    if (this.#needs.client.hasComeRound(question)) {
      throw new HeddleError(
        'refused',
        'one of the resolvers that we ask asks us: the question has come round',
      );
    }
    const upstreams = await this.#upstreamsFor(question.name);
    const [key, from] = [keyOf(question), this.#nameOf(upstreams)];
    const remembered = this.#cache.get(key, from);
    if (remembered?.fresh) return remembered;
    if (!this.#places.take(question.client, from)) {
      if (remembered) return { message: remembered.message };
      const { taken } = this.#places;
      throw unanswered(`${taken} askers are waiting for other servers already`);
    }
    try {
      const areSilent = this.#inquiries.areSilent(from);
      const asking = this.#ask({ key, question, upstreams, from });
      if (!remembered) return { message: await asking };
      const answer = await inTime(asking, areSilent ? 0 : PATIENCE_MS);
      if (answer === undefined) this.#inquiries.waitedInVain(from);
      return { message: answer && !isFailure(answer) ? answer : remembered.message };
    } finally {
      this.#places.leave(question.client, from);
    }
  }

  /** What the servers say. */
  #ask({ key, question, upstreams, from }: Omit<Inquiry, 'learn' | 'marks'>): Promise<Buffer> {
    return this.#inquiries.ask({
      key: `${key} ${from}`,
      // Two of us who wait for each other's answer would both join their own question, and wait for good.
      marks: marksOf(question),
      question,
      upstreams,
      from,
      learn: (message) => this.#cache.put(key, { question, message, from }),
    });
  }

  async #upstreamsFor(name: string): Promise<UpstreamSet> {
    const routed = serversFor(this.#routes, name);
    if (routed.length === 0) return await this.#needs.upstreams.current();
    return { servers: routed.filter((server) => !this.#needs.isOwn(server)) };
  }

  /** A word for the same servers, made once for each set. */
  #nameOf(upstreams: UpstreamSet): string {
    const known = this.#names.get(upstreams);
    if (known !== undefined) return known;
    const name = upstreams.servers.map(formatListen).join(' ');
    this.#names.set(upstreams, name);
    return name;
  }

  /** Whether this question is one that we ask for this client. */
  #isOurs({ name, type, client, recursionDesired }: Question): boolean {
    // The bare word `consul` is a host that people mean, and no name of the public tree.
    if (name === 'consul' || this.#ownDomains.some((own) => isWithin(name, own))) return false;
    return recursionDesired && type !== 'AXFR' && type !== 'IXFR' && this.#needs.isLocal(client);
  }
}

/** The client, with its answers as the guard leaves them. */
function screened(
  client: Pick<UpstreamClient, 'ask'>,
  guard: Pick<RebindingGuard, 'screen'>,
): Pick<UpstreamClient, 'ask'> {
  return {
    ask: async (question, upstreams, onOutOfTurn) =>
      guard.screen(question, await client.ask(question, upstreams, onOutOfTurn)),
  };
}

/** What comes within so many milliseconds. */
async function inTime(asking: Promise<Buffer>, milliseconds: number): Promise<Buffer | undefined> {
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

/** All that makes one question other than another, but for whom it is asked from. */
function keyOf({ name, type, class: klass, checkingDisabled, authenticData, edns }: Question): string {
  const [cd, ad] = [checkingDisabled ? ' cd' : '', authenticData ? ' ad' : ''];
  return `${name} ${type} ${klass}${cd}${ad}${edns?.dnssecOk ? ' do' : ''}`;
}

function marksOf({ edns }: Question): string {
  return edns?.loopMarks ? `${Buffer.from(edns.loopMarks).toString('hex')}` : '';
}
