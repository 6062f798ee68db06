import { LRUCache } from 'lru-cache';
import { formatListen } from '../../listen.ts';
import type { Upstream } from '../upstreams.ts';
import { ServerAbilities } from './server-abilities.ts';
import { ServerHealth } from './server-health.ts';

/** An upstream server and what was learnt about it. */
export interface Server {
  readonly upstream: Upstream;
  readonly abilities: ServerAbilities;
  readonly health: ServerHealth;
}

/** More servers than any host has; the least recently queried one is forgotten first. */
const MAX_SERVERS = 256;

export interface ServersNeeds {
  /** A monotonic clock, in milliseconds. */
  readonly now: () => number;
  /** Whether a server may forward to us. */
  readonly mayQueryUs: (server: Upstream) => boolean;
  /** Milliseconds for which a server that is not known to answer is queried alone. */
  readonly headStartMs: number;
}

/** What was learnt about the queried servers, by their addresses. */
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
    const server = this.#byAddress.get(address) ?? this.#newServer(upstream);
    this.#byAddress.set(address, server);
    this.#byObject.set(upstream, server);
    return server;
  }

  #newServer(upstream: Upstream): Server {
    const { now, mayQueryUs, headStartMs } = this.#needs;
    const abilities = new ServerAbilities(now, mayQueryUs(upstream));
    return { upstream, abilities, health: new ServerHealth(headStartMs) };
  }
}
