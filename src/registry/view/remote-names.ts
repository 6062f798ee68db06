import type { BlockingQueries, Instance, NodeEntry, RemoteLookups } from '../registry.ts';
import { LastKnown, type LastKnownOptions } from './last-known.ts';
import { NameWatches, type NameWatchesOptions } from './name-watches.ts';

export interface RemoteNamesNeeds {
  readonly lookups: RemoteLookups;
  /** The registry's blocking queries; without them every answer comes from a lookup. */
  readonly blockingQueries?: Pick<BlockingQueries, 'changes'> | undefined;
}

/** Numbers of watched names, and of answers kept for an outage of the registry. */
export interface RemoteStatus {
  readonly watched: number;
  readonly known: number;
}

const [INSTANCE_BYTES, OBJECT_BYTES] = [500, 40];

/** Wrapped, because the absence of a node is an answer too. */
interface FoundNode {
  readonly node: NodeEntry | undefined;
}

/**
 * The instances of all hosts under a name in a shared registry. A name in use is watched if there is room; other
 * answers are refreshed once they are a second old. While the registry is unreachable, the last known answers count.
 */
export class RemoteNames {
  readonly #instances: LastKnown<readonly Instance[]>;
  readonly #nodes: LastKnown<FoundNode>;
  readonly #watches: NameWatches | undefined;

  constructor(
    { lookups, blockingQueries }: RemoteNamesNeeds,
    options: LastKnownOptions & NameWatchesOptions = {},
  ) {
    this.#instances = new LastKnown((name, signal) => lookups.instances(name, signal), {
      ...options,
      isEmpty: (instances) => instances.length === 0,
      bytesOf: (instances) => instances.reduce((sum, instance) => sum + bytesOf(instance), 0),
    });
    this.#nodes = new LastKnown(
      async (name, signal): Promise<FoundNode> => ({ node: await lookups.node(name, signal) }),
      { ...options, isEmpty: ({ node }) => node === undefined },
    );
    const learn = (name: string, instances: readonly Instance[]) => this.#instances.learn(name, instances);
    this.#watches = blockingQueries && new NameWatches({ blockingQueries, learn }, options);
  }

  /**
   * Takes a name in lower case. Returns at once if the answer is known; throws the error of the lookup if there never
   * was an answer. `client` is the DNS client that waits for the answer, if any.
   */
  instances(name: string, client?: string): readonly Instance[] | Promise<readonly Instance[]> {
    const watched = this.#watches?.get(name);
    if (watched !== undefined) return watched;
    const found = this.#instances.get(name, client);
    return found instanceof Promise ? this.#watching(name, found) : found;
  }

  /** The last answer, however old; starts no lookup. */
  lastKnown(name: string): readonly Instance[] {
    return this.#instances.peek(name) ?? [];
  }

  node(name: string, client?: string): NodeEntry | undefined | Promise<NodeEntry | undefined> {
    const found = this.#nodes.get(name, client);
    return found instanceof Promise ? found.then(({ node }) => node) : found.node;
  }

  status(): RemoteStatus {
    return { watched: this.#watches?.size ?? 0, known: this.#instances.size };
  }

  async stop(): Promise<void> {
    this.#watches?.stop();
  }

  /** Watches the name only if it has instances. */
  async #watching(name: string, asking: Promise<readonly Instance[]>): Promise<readonly Instance[]> {
    const found = await asking;
    if (found.length > 0) this.#watches?.watch(name);
    return found;
  }
}

/** The approximate size of an instance: its strings, of at most two bytes a character, and the objects around them. */
function bytesOf({ service, node, unwell = [] }: Instance): number {
  const texts = [service.id, service.name, service.address, node, ...service.tags];
  const meta = Object.entries(service.meta).flat();
  const checks = unwell.flatMap(({ id, name }) => [id, name]);
  const lengths = [...texts, ...meta, ...checks].map(({ length }) => 2 * length + OBJECT_BYTES);
  return lengths.reduce((sum, length) => sum + length, INSTANCE_BYTES);
}
