import { HeddleError } from '../../errors.ts';
import type { Logger } from '../../runtime/log.ts';
import { containerOfId } from '../../services/naming/identity.ts';
import { OWNER_META, type Service } from '../../services/service.ts';
import type { Registry } from '../registry.ts';
import type { Losses } from './losses.ts';
import type { Again } from './unserved.ts';
import { WriteTurns } from './write-turns.ts';

export interface WritesNeeds {
  readonly registry: Pick<Registry, 'register' | 'deregister' | 'report'>;
  /** What an id should be now; undefined where it should not be. */
  readonly wanted: (id: string) => Service | undefined;
  /** The id is held for somebody else there. */
  readonly taken: (id: string) => void;
  /** Hears what the registry took, and what it removed for us. */
  readonly losses: Pick<Losses, 'entrust' | 'takeBack'>;
  /** The registry took a write, or refused it. */
  readonly answered: () => void;
  /** The registry did not answer a write; the gate should be closed. */
  readonly lost: (error: unknown) => void;
  readonly log: Logger;
}

export interface WritesOptions {
  /** Writes in flight at once. */
  readonly concurrency: number;
  /** Time until one of those that were refused is tried again, in ms. */
  readonly tryRefusedAfter: number;
}

interface Refusal {
  /** The content that was refused; null where the next pass is to try again. */
  readonly hash: string | undefined | null;
  readonly message: string;
  /** False where it may have been meant for everybody, not for this service. */
  readonly counts: boolean;
}

/**
 * The writes to a registry: ids marked as changed are brought to what is wanted, each in a lane of its own, the
 * latest state winning. Behind a closed gate nothing is queued; only the marks stay, one an id.
 */
export class Writes {
  readonly #needs: WritesNeeds;
  readonly #options: WritesOptions;
  readonly #turns = new WriteTurns();
  /** Ids that are being written. */
  readonly #busy = new Set<string>();
  /** The containers of ids that do not name theirs: of SERVICE_IDs. */
  readonly #containers = new Map<string, string>();
  /** Ids whose entry is to be removed before it is registered. */
  readonly #renewed = new Set<string>();
  readonly #marked = new Set<string>();
  /** Ids whose health is to be told; a registration tells it too. */
  readonly #untold = new Set<string>();
  readonly #refusals = new Map<string, Refusal>();
  /** Ids written since `forgetRecent`: what was read of them before is old. */
  readonly #recent = new Set<string>();
  readonly #stopping = new AbortController();
  #open = false;
  #retry: NodeJS.Timeout | undefined;
  #waiting: (() => void)[] = [];

  constructor(needs: WritesNeeds, options: WritesOptions) {
    this.#needs = needs;
    this.#options = options;
  }

  get pending(): number {
    return new Set([...this.#marked, ...this.#untold, ...this.#busy]).size;
  }

  /** What the registry refused, by id. */
  get errors(): ReadonlyMap<string, string> {
    return new Map([...this.#refusals].map(([id, { message }]) => [id, message]));
  }

  get marked(): ReadonlySet<string> {
    return this.#marked;
  }

  mark(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#marked.add(id);
      this.#enqueue(id);
    }
  }

  /** Registers these anew, whatever the registry has of them; of `renewed`, that is removed first. */
  registerAgain({ ids, renewed }: Again): void {
    const still = (id: string) => this.#needs.wanted(id) !== undefined;
    for (const id of renewed.filter(still)) this.#renewed.add(id);
    this.mark(ids.filter(still));
  }

  /** Has the health of these told, if they are registered. */
  tell(ids: Iterable<string>): void {
    for (const id of ids) {
      this.#untold.add(id);
      this.#enqueue(id);
    }
  }

  unmark(id: string): void {
    this.#marked.delete(id);
  }

  /** Lets writes through, those that are marked first of all. */
  open(): void {
    this.#open = true;
    for (const id of new Set([...this.#marked, ...this.#untold])) this.#enqueue(id);
    if (this.#idle()) this.#tellWaiting();
  }

  /** Holds writes back; those under way end by themselves. */
  close(): void {
    this.#open = false;
    this.#turns.clear();
  }

  /** Cancels what is under way, for good. */
  abort(): void {
    this.#open = false;
    clearTimeout(this.#retry);
    this.#stopping.abort();
    this.#tellWaiting();
  }

  /** Resolves when everything marked is written or refused. */
  async flush(): Promise<void> {
    if (this.#idle()) return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** True where a write is under way or was made since `forgetRecent`. */
  recent(id: string): boolean {
    return this.#turns.has(id) || this.#busy.has(id) || this.#recent.has(id);
  }

  forgetRecent(): void {
    this.#recent.clear();
  }

  refused(id: string): boolean {
    return this.#refusals.get(id)?.counts === true;
  }

  /** True where just this content was refused and nothing speaks for another try. */
  refusedAs(service: Service): boolean {
    return this.#refusals.get(service.id)?.hash === service.meta[OWNER_META.hash];
  }

  /** Gives what was refused another try. */
  forgive(): void {
    for (const [id, refusal] of this.#refusals) this.#refusals.set(id, { ...refusal, hash: null });
  }

  /** Holds no refusal against its service until it is made again: while nobody is let in, it says nothing of it. */
  doubt(): void {
    for (const [id, refusal] of this.#refusals) this.#refusals.set(id, { ...refusal, counts: false });
  }

  #enqueue(id: string): void {
    if (!this.#open || this.#busy.has(id)) return;
    const wanted = this.#needs.wanted(id);
    this.#turns.add(id, this.#laneOf(id, wanted), wanted === undefined ? 'removal' : 'other');
    // After all ids that are marked at once: a turn is given when it is known who waits.
    queueMicrotask(() => this.#giveTurns());
  }

  /** One lane for each container, as far as it is known. */
  #laneOf(id: string, wanted: Service | undefined): string {
    const named = containerOfId(id);
    if (named !== undefined) return named;
    const container = wanted?.meta[OWNER_META.container];
    if (container !== undefined) this.#containers.set(id, container);
    return container ?? this.#containers.get(id) ?? id;
  }

  #giveTurns(): void {
    while (this.#open && this.#busy.size < this.#options.concurrency) {
      const id = this.#turns.take();
      if (id === undefined) return;
      this.#busy.add(id);
      void this.#turn(id);
    }
  }

  async #turn(id: string): Promise<void> {
    const marked = this.#marked.delete(id);
    const untold = this.#untold.delete(id);
    if (marked) await this.#bring(id, this.#needs.wanted(id));
    else if (untold) await this.#report(id, this.#needs.wanted(id));
    this.#busy.delete(id);
    if (this.#marked.has(id) || this.#untold.has(id)) this.#enqueue(id);
    this.#giveTurns();
    if (this.#idle()) this.#tellWaiting();
  }

  async #bring(id: string, wanted: Service | undefined): Promise<void> {
    const { registry, losses, answered, lost } = this.#needs;
    const { signal } = this.#stopping;
    try {
      if (wanted === undefined || this.#renewed.has(id)) await registry.deregister(id, signal);
      if (wanted !== undefined) await registry.register(wanted, signal);
      this.#renewed.delete(id);
      if (wanted !== undefined) losses.entrust(id);
      else {
        losses.takeBack(id);
        this.#containers.delete(id);
      }
      this.#recent.add(id);
      // The others may have been refused for the same reason: a token, most of all.
      if (this.#refusals.delete(id)) this.mark(this.#refusals.keys());
      answered();
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof HeddleError && !error.retryable) {
        if (error.code === 'taken') this.#needs.taken(id);
        else this.#refuse(id, wanted, error.message);
        answered();
      } else {
        this.#marked.add(id);
        lost(error);
      }
    }
  }

  async #report(id: string, wanted: Service | undefined): Promise<void> {
    if (wanted === undefined || this.#refusals.has(id)) return;
    const { signal } = this.#stopping;
    try {
      await this.#needs.registry.report(wanted, signal);
    } catch (error) {
      if (signal.aborted) return;
      const lost = !(error instanceof HeddleError) || error.retryable;
      // A check that is not there comes with its service.
      if (lost) this.#untold.add(id);
      else this.#marked.add(id);
      if (lost) this.#needs.lost(error);
    }
  }

  #refuse(id: string, wanted: Service | undefined, message: string): void {
    if (this.#refusals.get(id)?.message !== message) this.#needs.log.error({ service: id }, message);
    this.#refusals.delete(id);
    // One that comes after the gate was closed was under way when everybody was refused.
    this.#refusals.set(id, { hash: wanted?.meta[OWNER_META.hash], message, counts: this.#open });
    this.#retry ??= setTimeout(() => this.#tryRefused(), this.#options.tryRefusedAfter).unref();
  }

  /** The one that waited longest: whatever the reason was, it may be gone, and for all of them at once. */
  #tryRefused(): void {
    this.#retry = undefined;
    this.mark([...this.#refusals.keys()].slice(0, 1));
  }

  #idle(): boolean {
    return this.#open && this.#marked.size + this.#untold.size + this.#busy.size === 0;
  }

  #tellWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
