import { type Snapshot, shortId } from '../docker/snapshot.ts';
import { HeddleError } from '../errors.ts';
import { formatCidr } from '../network/cidr.ts';
import type { Cidr, NetworkEngine } from '../network/engine.ts';
import type { FoundNamespace } from '../network/namespace.ts';

export interface AttachmentNeeds {
  inspect(container: string): Promise<Snapshot | undefined>;
  namespaceOf(snapshot: Snapshot): Promise<FoundNamespace>;
  readonly network: Pick<NetworkEngine, 'ensureBridge' | 'attach' | 'detach'>;
}

/** `attach` and `detach` for a container that a person names: found, checked, then done by the network engine. */
export class Attachment {
  readonly #needs: AttachmentNeeds;

  constructor(needs: AttachmentNeeds) {
    this.#needs = needs;
  }

  /**
   * @returns the container
   * @throws HeddleError `not-found`, `not-running`, `host-network`, or what the network engine throws
   */
  async attach(container: string, cidrs: readonly Cidr[]): Promise<Snapshot> {
    const { snapshot, nsPath } = await this.#find(container, `attach ${cidrs.map(formatCidr).join(' ')} to`);
    await this.connect(nsPath, snapshot, cidrs);
    return snapshot;
  }

  /** Gives the addresses to a namespace that was found already; the bridge is made if it is not there yet. */
  async connect(nsPath: string, { id }: Snapshot, cidrs: readonly Cidr[]): Promise<void> {
    const { network } = this.#needs;
    try {
      await network.attach({ nsPath, container: id }, cidrs);
    } catch (error) {
      if (!(error instanceof HeddleError && error.code === 'not-found')) throw error;
      await network.ensureBridge();
      await network.attach({ nsPath, container: id }, cidrs);
    }
  }

  /** @returns the container */
  async detach(container: string, cidrs: readonly Cidr[]): Promise<Snapshot> {
    const { snapshot, nsPath } = await this.#find(
      container,
      `detach ${cidrs.map(formatCidr).join(' ')} from`,
    );
    await this.#needs.network.detach({ nsPath, container: snapshot.id }, cidrs);
    return snapshot;
  }

  async #find(container: string, attempt: string): Promise<{ snapshot: Snapshot; nsPath: string }> {
    const snapshot = await this.#needs.inspect(container);
    if (snapshot === undefined) {
      throw new HeddleError(
        'not-found',
        `cannot ${attempt} '${container}': Docker knows no such container; see docker ps`,
      );
    }
    const called = `'${snapshot.name}' (${shortId(snapshot.id)})`;
    if (snapshot.pid === 0) {
      const ended = snapshot.exitCode === null ? '' : `, it ended with status ${snapshot.exitCode}`;
      throw new HeddleError(
        'not-running',
        `cannot ${attempt} ${called}: it is not running${ended}; start it first`,
      );
    }
    const { path } = await this.#needs.namespaceOf(snapshot);
    if (path === undefined) {
      throw new HeddleError(
        'host-network',
        `cannot ${attempt} ${called}: it uses the host's network (--net=host) and has none of its own`,
      );
    }
    return { snapshot, nsPath: path };
  }
}
