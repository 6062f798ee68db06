import type { Elsewhere, Instance, Moving, NodeEntry } from '../registry.ts';
import { LastKnown, type LastKnownOptions } from './last-known.ts';
import { NameWatches, type NameWatchesOptions } from './name-watches.ts';

export interface RemoteNamesNeeds {
  readonly elsewhere: Elsewhere;
  /** Where the registry can be waited on; without it, every answer is asked for. */
  readonly moving?: Pick<Moving, 'changes'> | undefined;
}

/** How many names are watched now, and how many answers are kept for when the registry is away. */
export interface RemoteStatus {
  readonly watched: number;
  readonly known: number;
}

const [INSTANCE_BYTES, OBJECT_BYTES] = [500, 40];

/** No node of a name is an answer, too. */
interface FoundNode {
  readonly node: NodeEntry | undefined;
}

/**
 * What a shared registry has under a name, of every host. A name that is asked for is watched, as far as there is
 * room; others are asked for again once they are a second old. While the registry is away, all are as last known.
 */
export class RemoteNames {
  readonly #instances: LastKnown<readonly Instance[]>;
  readonly #nodes: LastKnown<FoundNode>;
  readonly #watches: NameWatches | undefined;

  constructor({ elsewhere, moving }: RemoteNamesNeeds, options: LastKnownOptions & NameWatchesOptions = {}) {
    this.#instances = new LastKnown((name, signal) => elsewhere.instances(name, signal), {
      ...options,
      isEmpty: (instances) => instances.length === 0,
      bytesOf: (instances) => instances.reduce((sum, instance) => sum + bytesOf(instance), 0),
    });
    this.#nodes = new LastKnown(
      async (name, signal): Promise<FoundNode> => ({ node: await elsewhere.node(name, signal) }),
      { ...options, isEmpty: ({ node }) => node === undefined },
    );
    const learn = (name: string, instances: readonly Instance[]) => this.#instances.learn(name, instances);
    this.#watches = moving && new NameWatches({ moving, learn }, options);
  }

  /**
   * Names are in lower case. At once where the answer is known; throws what asking threw where there never was one.
   * `client` is who asks, if anybody waits for the answer.
   */
  instances(name: string, client?: string): readonly Instance[] | Promise<readonly Instance[]> {
    const watched = this.#watches?.get(name);
    if (watched !== undefined) return watched;
    const found = this.#instances.get(name, client);
    return found instanceof Promise ? this.#watching(name, found) : found;
  }

  /** The last answer, however old; nobody is asked. */
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

  /** A name that nothing stands under costs no watch. */
  async #watching(name: string, asking: Promise<readonly Instance[]>): Promise<readonly Instance[]> {
    const found = await asking;
    if (found.length > 0) this.#watches?.want(name);
    return found;
  }
}

/** About what an instance takes: its texts, of two bytes a character at most, and what holds them together. */
function bytesOf({ service, node, unwell = [] }: Instance): number {
  const texts = [service.id, service.name, service.address, node, ...service.tags];
  const meta = Object.entries(service.meta).flat();
  const checks = unwell.flatMap(({ id, name }) => [id, name]);
  const lengths = [...texts, ...meta, ...checks].map(({ length }) => 2 * length + OBJECT_BYTES);
  return lengths.reduce((sum, length) => sum + length, INSTANCE_BYTES);
}
