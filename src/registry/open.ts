import { hostname } from 'node:os';
import { messageOf } from '../errors.ts';
import type { Logger } from '../log.ts';
import { ConsulRegistry } from './consul.ts';
import { ConsulClient } from './consul-client.ts';
import { EmbeddedRegistry } from './embedded.ts';
import type { Elsewhere, Registry } from './registry.ts';
import type { RegistryUri } from './uri.ts';

/** The node that services of this host are said to be on. */
export interface Node {
  readonly name: string;
  /** Undefined while nobody has told it. */
  readonly address: string | undefined;
  readonly datacenter: string;
}

/** A registry, what other hosts have in it, and this host's own node there. */
export interface OpenRegistry {
  readonly registry: Registry;
  readonly elsewhere: Elsewhere | undefined;
  /** As far as it is known now; a guess while the registry is away. */
  node(): Node;
  /** Learns the node, in the background while the registry is away; calls back when it is known. */
  start(learnt: () => void): Promise<void>;
  stop(): Promise<void>;
}

const RETRY_MS = 3_000;
const GUESS: Node = { name: hostname(), address: undefined, datacenter: 'dc1' };

/** The registry that a URI names; nothing is asked of it before `start`. */
export function openRegistry(
  uri: RegistryUri,
  needs: { readonly hostId: string; readonly token: string | undefined; readonly log: Logger },
): OpenRegistry {
  if (uri.kind === 'embedded') {
    const registry = new EmbeddedRegistry();
    return { registry, elsewhere: undefined, node: () => GUESS, start: async () => {}, stop: async () => {} };
  }
  const client = new ConsulClient(uri, needs.token === undefined ? {} : { token: needs.token });
  return new OpenConsul(client, needs);
}

class OpenConsul implements OpenRegistry {
  readonly registry: ConsulRegistry;
  readonly elsewhere: Elsewhere;
  readonly #client: ConsulClient;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  #node = GUESS;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: ConsulClient, { hostId, log }: { readonly hostId: string; readonly log: Logger }) {
    this.#client = client;
    this.registry = new ConsulRegistry(client, { hostId });
    this.elsewhere = this.registry;
    this.#log = log;
  }

  node(): Node {
    return this.#node;
  }

  async start(learnt: () => void): Promise<void> {
    try {
      const { node, address, datacenter } = await this.registry.self(this.#stopping.signal);
      this.#node = { name: node, address, datacenter };
      learnt();
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#log.debug({ error: messageOf(error) }, 'the node is not known yet');
      this.#timer = setTimeout(() => void this.start(learnt), RETRY_MS);
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    this.#client.close();
  }
}
