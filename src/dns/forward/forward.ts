import { setTimeout as delay } from 'node:timers/promises';
import { HeddleError } from '../../errors.ts';
import { formatListen } from '../listen.ts';
import { bare, type Question, type Resolved, type Zone } from '../zone.ts';
import { type CacheOptions, ForwardCache } from './forward-cache.ts';
import { type Route, serversFor } from './routes.ts';
import type { UpstreamClient } from './upstream-client.ts';
import type { Upstream, UpstreamSet } from './upstreams.ts';

export interface ForwardNeeds {
  readonly upstreams: { current(): Promise<UpstreamSet> };
  readonly client: Pick<UpstreamClient, 'ask' | 'hasComeRound'>;
  /** Whether a client is in one of the host's own networks: for others we are no resolver. */
  readonly isLocal: (client: string) => boolean;
  /** Whether we answer there ourselves. */
  readonly isOwn: (server: Upstream) => boolean;
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
  /** Questions that are out, so that the same one is asked once for all who ask it meanwhile. */
  readonly #asking = new Map<string, Promise<Buffer>>();

  constructor(needs: ForwardNeeds, { ownDomains, routes = [], cache }: ForwardOptions) {
    this.#needs = needs;
    this.#ownDomains = ownDomains.map((domain) => domain.toLowerCase());
    this.#routes = routes;
    this.#cache = new ForwardCache(cache);
  }

  async resolve(question: Question): Promise<Resolved> {
    if (!this.#isOurs(question)) return bare('REFUSED');
    if (this.#needs.client.hasComeRound(question)) {
      throw new HeddleError(
        'refused',
        'one of the resolvers that we ask asks us: the question has come round',
      );
    }
    const upstreams = await this.#upstreamsFor(question.name);
    const key = keyOf(question, this.#nameOf(upstreams));
    const remembered = this.#cache.get(key);
    if (remembered?.fresh) return remembered;
    // Two of us who wait for each other's answer would both join their own question, and wait for good.
    const shared = key + marksOf(question);
    const asking = this.#asking.get(shared) ?? this.#ask(shared, key, question, upstreams);
    if (!remembered) return { message: await asking };
    const patience = new AbortController();
    const waited = delay(PATIENCE_MS, remembered.message, { signal: patience.signal });
    const failed = asking.catch(() => remembered.message);
    const message = await Promise.race([failed, waited]);
    patience.abort();
    waited.catch(() => {});
    return { message };
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
    if (name === 'consul' || this.#ownDomains.some((own) => name === own || name.endsWith(`.${own}`)))
      return false;
    return recursionDesired && type !== 'AXFR' && type !== 'IXFR' && this.#needs.isLocal(client);
  }

  async #ask(shared: string, key: string, question: Question, upstreams: UpstreamSet): Promise<Buffer> {
    const asking = this.#needs.client.ask(question, upstreams);
    this.#asking.set(shared, asking);
    try {
      const message = await asking;
      this.#cache.put(key, question, message);
      return message;
    } finally {
      this.#asking.delete(shared);
    }
  }
}

/** All that the answer depends on: the servers too, since other ones may know other names. */
function keyOf(question: Question, upstreams: string): string {
  const { name, type, class: klass, checkingDisabled, edns } = question;
  return `${name} ${type} ${klass}${checkingDisabled ? ' cd' : ''}${edns?.dnssecOk ? ' do' : ''} ${upstreams}`;
}

function marksOf({ edns }: Question): string {
  return edns?.loopMarks ? ` ${Buffer.from(edns.loopMarks).toString('hex')}` : '';
}
