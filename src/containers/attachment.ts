import { type Snapshot, shortId } from '../docker/snapshot.ts';
import { HeddleError } from '../errors.ts';
import type { Cidr, NetworkEngine } from '../network/engine.ts';
import type { FoundNamespace } from '../network/namespace.ts';
import type { AttachOptions } from '../state/attach-options.ts';

export interface AttachmentNeeds {
  inspect(container: string): Promise<Snapshot | undefined>;
  namespaceOf(snapshot: Snapshot): Promise<FoundNamespace>;
  readonly network: Pick<NetworkEngine, 'ensureBridge' | 'attach' | 'detach'>;
  /** What was chosen of how a container is attached. */
  optionsOf(container: string): AttachOptions;
  /** Takes the addresses away from networks that the container has left. */
  release(snapshot: Snapshot, cidrs: readonly Cidr[]): Promise<void>;
}

export interface FoundContainer {
  readonly snapshot: Snapshot;
  readonly nsPath: string;
  /** Inode of its network namespace; undefined where that cannot be read. */
  readonly namespace: number | undefined;
}

/** `attach` and `detach` for a container that a person names: found, checked, then done by the network engine. */
export class Attachment {
  readonly #needs: AttachmentNeeds;

  constructor(needs: AttachmentNeeds) {
    this.#needs = needs;
  }

  /**
   * @param words what was asked for, for messages
   * @param choose says which addresses that means for the container that was found
   * @throws HeddleError `not-found`, `not-running`, `host-network`, or what `choose` and the network engine throw
   */
  async attach(
    container: string,
    words: string,
    choose: (found: FoundContainer) => Promise<readonly Cidr[]>,
  ): Promise<FoundContainer & { readonly cidrs: readonly Cidr[] }> {
    const found = await this.#find(container, `attach ${words} to`);
    const cidrs = await choose(found);
    await this.connect(found.nsPath, found.snapshot, cidrs);
    return { ...found, cidrs };
  }

  /** Gives the addresses to a namespace that was found already; the bridge is made if it is not there yet. None is a success. */
  async connect(nsPath: string, snapshot: Snapshot, cidrs: readonly Cidr[]): Promise<void> {
    const { network, release, optionsOf } = this.#needs;
    if (cidrs.length === 0) return;
    await release(snapshot, cidrs);
    const target = { nsPath, container: snapshot.id };
    try {
      await network.attach(target, cidrs, optionsOf(snapshot.id));
    } catch (error) {
      if (!(error instanceof HeddleError && error.code === 'not-found')) throw error;
      await network.ensureBridge();
      // Asked for anew: meanwhile somebody may have chosen.
      await network.attach(target, cidrs, optionsOf(snapshot.id));
    }
  }

  /** Takes the addresses away that `choose` says. @returns them, those that were there, and the container */
  async detach(
    container: string,
    words: string,
    choose: (found: FoundContainer) => Promise<readonly Cidr[]>,
  ): Promise<FoundContainer & { readonly cidrs: readonly Cidr[]; readonly removed: readonly Cidr[] }> {
    const found = await this.#find(container, `detach ${words} from`);
    const cidrs = await choose(found);
    const target = { nsPath: found.nsPath, container: found.snapshot.id };
    const { removed } = await this.#needs.network.detach(target, cidrs);
    return { ...found, cidrs, removed };
  }

  async #find(container: string, attempt: string): Promise<FoundContainer> {
    const snapshot = await this.#needs.inspect(container);
    if (snapshot === undefined) {
      throw new HeddleError(
        'not-found',
        `cannot ${attempt} '${container}': Docker knows no such container; see docker ps`,
      );
    }
    const called = `'${snapshot.name}' (${shortId(snapshot.id)})`;
    if (snapshot.pid === 0) {
      const { exitCode, name } = snapshot;
      const ended = exitCode === null ? '' : `, it ended with status ${exitCode} (docker logs ${name})`;
      throw new HeddleError(
        'not-running',
        `cannot ${attempt} ${called}: it is not running${ended}; start it first`,
      );
    }
    const { path, inode } = await this.#needs.namespaceOf(snapshot);
    if (path === undefined) {
      throw new HeddleError(
        'host-network',
        `cannot ${attempt} ${called}: it uses the host's network (--net=host) and has none of its own`,
      );
    }
    return { snapshot, nsPath: path, namespace: inode };
  }
}
