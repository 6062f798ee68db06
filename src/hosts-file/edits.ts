import PQueue from 'p-queue';
import { shortId } from '../docker/snapshot.ts';
import { HeddleError } from '../errors.ts';
import type { ContainerProcess } from '../network/container-namespace.ts';
import { editHostsFile } from './container-file.ts';

/** A hanging file system of a container (FUSE, NFS) blocks a thread of libuv's four; edits may use half of them. */
const MOST_AT_ONCE = 2;
const TIMEOUT_MS = 2_000;

type Edit = (process: ContainerProcess, change: (text: string) => string) => Promise<void>;

/**
 * Edits of containers' /etc/hosts: one at a time for each container and a few at a time in total, because the path
 * leads through the container's own file system. No caller waits longer than a file system should take.
 */
export class HostsFileEdits {
  readonly #edit: Edit;
  readonly #timeoutMs: number;
  /** The last pending edit of each container. */
  readonly #last = new Map<string, Promise<void>>();
  readonly #queue = new PQueue({ concurrency: MOST_AT_ONCE });

  constructor({ edit = editHostsFile }: { readonly edit?: Edit } = {}, { patienceMs = TIMEOUT_MS } = {}) {
    this.#edit = edit;
    this.#timeoutMs = patienceMs;
  }

  /** @throws HeddleError as `editHostsFile` does, and `failed` if it takes too long */
  async edit(process: ContainerProcess, change: (text: string) => string): Promise<void> {
    const { containerId } = process;
    const late = new AbortController();
    const before = this.#last.get(containerId) ?? Promise.resolve();
    const done = before.then(() =>
      this.#queue.add(async () => {
        // An edit whose caller has timed out is not started.
        if (!late.signal.aborted) await this.#edit(process, change);
      }),
    );
    const settled = done.catch(() => undefined);
    this.#last.set(containerId, settled);
    void settled.then(() => this.#last.get(containerId) === settled && this.#last.delete(containerId));
    await this.#withTimeout(done, late, containerId);
  }

  async #withTimeout(done: Promise<void>, late: AbortController, containerId: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        late.abort();
        const why = `its file system, or that of another container, has not answered for ${this.#timeoutMs / 1000} s`;
        const message = `cannot change /etc/hosts of container ${shortId(containerId)}: ${why}`;
        reject(new HeddleError('failed', message));
      }, this.#timeoutMs);
    });
    await Promise.race([done, tooLong]).finally(() => clearTimeout(timer));
  }
}
