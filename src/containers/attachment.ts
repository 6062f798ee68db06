import type { Docker } from '../docker/engine.ts';
import { type Snapshot, shortId } from '../docker/snapshot.ts';
import { HeddleError, hasCode } from '../errors.ts';
import type { Claims } from '../ipam/claims.ts';
import type { FoundNamespace } from '../network/container-namespace.ts';
import type { AttachTarget, Cidr, NetworkEngine } from '../network/engine.ts';
import type { StaleSharers } from './stale-sharers.ts';

export interface AttachmentNeeds {
  readonly docker: Pick<Docker, 'inspect'>;
  namespaceOf(snapshot: Snapshot): Promise<FoundNamespace>;
  readonly network: Pick<NetworkEngine, 'ensureBridge' | 'attach' | 'detach'>;
  readonly claims: Pick<Claims, 'optionsOf' | 'releasing' | 'released'>;
  readonly staleSharers: Pick<StaleSharers, 'release'>;
}

export interface FoundContainer {
  readonly snapshot: Snapshot;
  readonly nsPath: string;
  /** Inode of its network namespace; undefined where that cannot be read. */
  readonly namespace: number | undefined;
}

/** Attaches and detaches a container that a user names: finds it, checks it, and calls the network engine. */
export class Attachment {
  readonly #needs: AttachmentNeeds;

  constructor(needs: AttachmentNeeds) {
    this.#needs = needs;
  }

  /**
   * @param request what the user requested, for messages
   * @param choose returns the addresses which that means for the container that was found
   * @throws HeddleError `not-found`, `not-running`, `host-network`, or what `choose` and the network engine throw
   */
  async attach(
    container: string,
    request: string,
    choose: (found: FoundContainer) => Promise<readonly Cidr[]>,
  ): Promise<FoundContainer & { readonly cidrs: readonly Cidr[] }> {
    const found = await this.#find(container, `attach ${request} to`);
    const cidrs = await choose(found);
    await this.connect(found.nsPath, found.snapshot, cidrs);
    return { ...found, cidrs };
  }

  /** Assigns the addresses in a namespace that was found already. Creates the bridge if it is missing. No address is a success. */
  async connect(nsPath: string, snapshot: Snapshot, cidrs: readonly Cidr[]): Promise<void> {
    const { network, staleSharers, claims } = this.#needs;
    if (cidrs.length === 0) return;
    await staleSharers.release(snapshot, cidrs);
    const target = { nsPath, container: snapshot.id };
    try {
      await network.attach(target, cidrs, claims.optionsOf(snapshot.id));
    } catch (error) {
      if (!hasCode(error, 'not-found')) throw error;
      await network.ensureBridge();
      // Read again: a command may have changed the options while the bridge was created.
      await network.attach(target, cidrs, claims.optionsOf(snapshot.id));
    }
  }

  /** Takes away the addresses that `choose` returns. @returns them, those that were present, and the container */
  async detach(
    container: string,
    request: string,
    choose: (found: FoundContainer) => Promise<readonly Cidr[]>,
  ): Promise<FoundContainer & { readonly cidrs: readonly Cidr[]; readonly removed: readonly Cidr[] }> {
    const found = await this.#find(container, `detach ${request} from`);
    const cidrs = await choose(found);
    const target = { nsPath: found.nsPath, container: found.snapshot.id };
    const { removed } = await this.#needs.network.detach(target, cidrs);
    return { ...found, cidrs, removed };
  }

  /** Removes addresses that the container released: completes a detach that was interrupted. */
  async finishRelease(target: AttachTarget): Promise<void> {
    const { claims, network } = this.#needs;
    const cidrs = claims.releasing(target.container);
    if (cidrs.length === 0) return;
    await network.detach(target, cidrs);
    await claims.released(target.container, cidrs);
  }

  async #find(container: string, attempt: string): Promise<FoundContainer> {
    const snapshot = await this.#needs.docker.inspect(container);
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
