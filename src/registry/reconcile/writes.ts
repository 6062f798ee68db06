import { HeddleError } from '../../errors.ts';
import type { Logger } from '../../runtime/log.ts';
import { containerOfId } from '../../services/naming/identity.ts';
import { OWNER_META, type Service } from '../../services/service.ts';
import type { Registry } from '../registry.ts';
import type { Losses } from './losses.ts';
import type { Reregistration } from './unserved.ts';
import { WriteTurns } from './write-turns.ts';

export interface WritesNeeds {
  readonly registry: Pick<Registry, 'register' | 'deregister' | 'report'>;
  /** The service that this id should hold now; undefined if it should not exist. */
  readonly wanted: (id: string) => Service | undefined;
  /** The id belongs to another owner in the registry. */
  readonly idTaken: (id: string) => void;
  /** Tracks the ids that were registered and removed. */
  readonly losses: Pick<Losses, 'trackRegistered' | 'untrack'>;
  /** The registry accepted or rejected a write. */
  readonly answered: () => void;
  /** The registry did not answer a write; the caller should close the gate. */
  readonly unanswered: (error: unknown) => void;
  readonly log: Logger;
}

export interface WritesOptions {
  /** Concurrent writes. */
  readonly concurrency: number;
  /** Time until one of the rejected writes is retried, in ms. */
  readonly retryRejectedAfter: number;
}

interface Rejection {
  /** Hash of the rejected content; null if the next pass should retry it. */
  readonly hash: string | undefined | null;
  readonly message: string;
  /** False if the registry may have rejected every service, not this one in particular. */
  readonly counts: boolean;
}

/**
 * The writes to a registry. For each dirty id the latest wanted state is written; containers take turns. While the gate
 * is closed nothing is queued: only the dirty ids are kept, each once.
 */
export class Writes {
  readonly #needs: WritesNeeds;
  readonly #options: WritesOptions;
  readonly #turns = new WriteTurns();
  /** Ids that are being written. */
  readonly #busy = new Set<string>();
  /** Containers of SERVICE_IDs, which do not contain the container's id as generated ids do. */
  readonly #containers = new Map<string, string>();
  /** Ids to deregister before they are registered again. */
  readonly #removeFirst = new Set<string>();
  readonly #dirty = new Set<string>();
  /** Ids whose health has to be reported; a registration reports it too. */
  readonly #unreported = new Set<string>();
  readonly #rejections = new Map<string, Rejection>();
  /** Ids written since `forgetRecentWrites`: a list read before is out of date for them. */
  readonly #recentlyWritten = new Set<string>();
  readonly #stopping = new AbortController();
  #open = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #flushes: (() => void)[] = [];

  constructor(needs: WritesNeeds, options: WritesOptions) {
    this.#needs = needs;
    this.#options = options;
  }

  get pending(): number {
    return new Set([...this.#dirty, ...this.#unreported, ...this.#busy]).size;
  }

  /** The registry's message for each rejected id. */
  get errors(): ReadonlyMap<string, string> {
    return new Map([...this.#rejections].map(([id, { message }]) => [id, message]));
  }

  get dirty(): ReadonlySet<string> {
    return this.#dirty;
  }

  markDirty(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#dirty.add(id);
      this.#enqueue(id);
    }
  }

  /** Registers these ids again, whatever the registry holds; deregisters those in `removeFirst` before. */
  registerAgain({ ids, removeFirst }: Reregistration): void {
    const still = (id: string) => this.#needs.wanted(id) !== undefined;
    for (const id of removeFirst.filter(still)) this.#removeFirst.add(id);
    this.markDirty(ids.filter(still));
  }

  /** Queues reports of the health of these ids. */
  markUnreported(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#unreported.add(id);
      this.#enqueue(id);
    }
  }

  clearDirty(id: string): void {
    this.#dirty.delete(id);
  }

  /** Opens the gate and queues all dirty and unreported ids. */
  open(): void {
    this.#open = true;
    for (const id of new Set([...this.#dirty, ...this.#unreported])) this.#enqueue(id);
    if (this.#idle()) this.#resolveFlushes();
  }

  /** Closes the gate; running writes end by themselves. */
  close(): void {
    this.#open = false;
    this.#turns.clear();
  }

  /** Cancels running writes and closes the gate for good. */
  abort(): void {
    this.#open = false;
    clearTimeout(this.#retryTimer);
    this.#stopping.abort();
    this.#resolveFlushes();
  }

  /** Resolves when every dirty id is registered or rejected. */
  async flush(): Promise<void> {
    if (this.#idle()) return;
    await new Promise<void>((resolve) => this.#flushes.push(resolve));
  }

  /** True if a write is queued, running, or was made since `forgetRecentWrites`. */
  recentlyWritten(id: string): boolean {
    return this.#turns.has(id) || this.#busy.has(id) || this.#recentlyWritten.has(id);
  }

  forgetRecentWrites(): void {
    this.#recentlyWritten.clear();
  }

  rejected(id: string): boolean {
    return this.#rejections.get(id)?.counts === true;
  }

  /** True if exactly this content was rejected and no retry is due. */
  rejectedAs(service: Service): boolean {
    return this.#rejections.get(service.id)?.hash === service.meta[OWNER_META.hash];
  }

  /** Lets the next pass retry all rejected services. */
  retryRejected(): void {
    for (const [id, refusal] of this.#rejections) this.#rejections.set(id, { ...refusal, hash: null });
  }

  /**
   * Stops counting earlier rejections: while the token is refused for everything, a rejection reveals nothing about one
   * service.
   */
  ignoreRejections(): void {
    for (const [id, refusal] of this.#rejections) this.#rejections.set(id, { ...refusal, counts: false });
  }

  #enqueue(id: string): void {
    if (!this.#open || this.#busy.has(id)) return;
    const wanted = this.#needs.wanted(id);
    this.#turns.add(id, this.#laneOf(id, wanted), wanted === undefined ? 'removal' : 'other');
    // Start after all ids of this batch are queued, so that the turns account for all of them.
    queueMicrotask(() => this.#startWrites());
  }

  /** The lane of an id: its container if that is known, otherwise the id itself. */
  #laneOf(id: string, wanted: Service | undefined): string {
    const named = containerOfId(id);
    if (named !== undefined) return named;
    const container = wanted?.meta[OWNER_META.container];
    if (container !== undefined) this.#containers.set(id, container);
    return container ?? this.#containers.get(id) ?? id;
  }

  #startWrites(): void {
    while (this.#open && this.#busy.size < this.#options.concurrency) {
      const id = this.#turns.take();
      if (id === undefined) return;
      this.#busy.add(id);
      void this.#takeTurn(id);
    }
  }

  async #takeTurn(id: string): Promise<void> {
    const dirty = this.#dirty.delete(id);
    const unreported = this.#unreported.delete(id);
    if (dirty) await this.#write(id, this.#needs.wanted(id));
    else if (unreported) await this.#report(id, this.#needs.wanted(id));
    this.#busy.delete(id);
    if (this.#dirty.has(id) || this.#unreported.has(id)) this.#enqueue(id);
    this.#startWrites();
    if (this.#idle()) this.#resolveFlushes();
  }

  async #write(id: string, wanted: Service | undefined): Promise<void> {
    const { registry, losses, answered, unanswered } = this.#needs;
    const { signal } = this.#stopping;
    try {
      if (wanted === undefined || this.#removeFirst.has(id)) await registry.deregister(id, signal);
      if (wanted !== undefined) await registry.register(wanted, signal);
      this.#removeFirst.delete(id);
      if (wanted !== undefined) losses.trackRegistered(id);
      else {
        losses.untrack(id);
        this.#containers.delete(id);
      }
      this.#recentlyWritten.add(id);
      // The other rejections may have had the same cause, most likely the token.
      if (this.#rejections.delete(id)) this.markDirty(this.#rejections.keys());
      answered();
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof HeddleError && !error.retryable) {
        if (error.code === 'taken') this.#needs.idTaken(id);
        else this.#reject(id, wanted, error.message);
        answered();
      } else {
        this.#dirty.add(id);
        unanswered(error);
      }
    }
  }

  async #report(id: string, wanted: Service | undefined): Promise<void> {
    if (wanted === undefined || this.#rejections.has(id)) return;
    const { signal } = this.#stopping;
    try {
      await this.#needs.registry.report(wanted, signal);
    } catch (error) {
      if (signal.aborted) return;
      const lost = !(error instanceof HeddleError) || error.retryable;
      // A missing check is created by registering its service.
      if (lost) this.#unreported.add(id);
      else this.#dirty.add(id);
      if (lost) this.#needs.unanswered(error);
    }
  }

  #reject(id: string, wanted: Service | undefined, message: string): void {
    if (this.#rejections.get(id)?.message !== message) this.#needs.log.error({ service: id }, message);
    this.#rejections.delete(id);
    // A rejection after the gate closed belongs to a write from the time when every service was rejected.
    this.#rejections.set(id, { hash: wanted?.meta[OWNER_META.hash], message, counts: this.#open });
    this.#retryTimer ??= setTimeout(
      () => this.#retryOldestRejected(),
      this.#options.retryRejectedAfter,
    ).unref();
  }

  /** Retries the oldest rejection only: if its cause is gone, it is likely gone for all of them. */
  #retryOldestRejected(): void {
    this.#retryTimer = undefined;
    this.markDirty([...this.#rejections.keys()].slice(0, 1));
  }

  #idle(): boolean {
    return this.#open && this.#dirty.size + this.#unreported.size + this.#busy.size === 0;
  }

  #resolveFlushes(): void {
    const waiting = this.#flushes;
    this.#flushes = [];
    for (const resolve of waiting) resolve();
  }
}
