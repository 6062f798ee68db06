import { LRUCache } from 'lru-cache';
import { formatListen } from '../../listen.ts';
import type { Upstream } from '../upstreams.ts';
import { ServerAbilities } from './server-abilities.ts';
import { ServerHealth } from './server-health.ts';

/** What is known about one server. */
export interface Server {
  readonly upstream: Upstream;
  readonly manners: ServerAbilities;
  readonly health: ServerHealth;
}

/** More servers than any host has; the one that was not asked for longest is forgotten first. */
const MAX_SERVERS = 256;

export interface ServersNeeds {
  /** Milliseconds, of any clock that never goes back. */
  readonly now: () => number;
  /** Whether a server may be one that asks us. */
  readonly mayAskUs: (server: Upstream) => boolean;
  /** Milliseconds for which a server that is not known to answer is asked alone. */
  readonly headStartMs: number;
}

/** What was learnt about the servers that are asked, by their addresses. */
export class Servers {
  readonly #needs: ServersNeeds;
  readonly #byAddress = new LRUCache<string, Server>({ max: MAX_SERVERS });
  readonly #byObject = new WeakMap<Upstream, Server>();

  constructor(needs: ServersNeeds) {
    this.#needs = needs;
  }

  of(upstream: Upstream): Server {
    const known = this.#byObject.get(upstream);
    if (known !== undefined) return known;
    const address = formatListen(upstream);
    const server = this.#byAddress.get(address) ?? this.#stranger(upstream);
    this.#byAddress.set(address, server);
    this.#byObject.set(upstream, server);
    return server;
  }

  #stranger(upstream: Upstream): Server {
    const { now, mayAskUs, headStartMs } = this.#needs;
    const manners = new ServerAbilities(now, mayAskUs(upstream));
    return { upstream, manners, health: new ServerHealth(headStartMs) };
  }
}
