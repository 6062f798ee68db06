import PQueue from 'p-queue';
import { shortId } from '../docker/snapshot.ts';
import { HeddleError } from '../errors.ts';
import type { ContainerProcess } from '../network/container-namespace.ts';
import { editHostsFile } from './container-file.ts';

/** One container's file system that hangs (FUSE, NFS) holds a thread of libuv's four; no more than half are for all. */
const MOST_AT_ONCE = 2;
const PATIENCE_MS = 2_000;

type Edit = (process: ContainerProcess, change: (text: string) => string) => Promise<void>;

/**
 * Changes of what containers read at /etc/hosts: one at a time for each container, because the way there leads through
 * its own files, and a few at a time for all of them. Nobody waits longer than a file system should take.
 */
export class HostsFileEdits {
  readonly #edit: Edit;
  readonly #patienceMs: number;
  /** The last change of each container that has one under way. */
  readonly #last = new Map<string, Promise<void>>();
  readonly #turns = new PQueue({ concurrency: MOST_AT_ONCE });

  constructor({ edit = editHostsFile }: { readonly edit?: Edit } = {}, { patienceMs = PATIENCE_MS } = {}) {
    this.#edit = edit;
    this.#patienceMs = patienceMs;
  }

  /** @throws HeddleError as `editHostsFile` does, and `failed` where it takes too long */
  async edit(process: ContainerProcess, change: (text: string) => string): Promise<void> {
    const { containerId } = process;
    const late = new AbortController();
    const before = this.#last.get(containerId) ?? Promise.resolve();
    const done = before.then(() =>
      this.#turns.add(async () => {
        // Nothing is begun that nobody waits for any more.
        if (!late.signal.aborted) await this.#edit(process, change);
      }),
    );
    const settled = done.catch(() => undefined);
    this.#last.set(containerId, settled);
    void settled.then(() => this.#last.get(containerId) === settled && this.#last.delete(containerId));
    await this.#patiently(done, late, containerId);
  }

  async #patiently(done: Promise<void>, late: AbortController, containerId: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        late.abort();
        const why = `its file system, or another container's, has not answered for ${this.#patienceMs / 1000} s`;
        const message = `cannot change /etc/hosts of container ${shortId(containerId)}: ${why}`;
        reject(new HeddleError('failed', message));
      }, this.#patienceMs);
    });
    await Promise.race([done, tooLong]).finally(() => clearTimeout(timer));
  }
}
