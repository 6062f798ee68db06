import { messageOf } from '../../errors.ts';
import { type Backoff, backoff } from '../../runtime/backoff.ts';
import type { Logger } from '../../runtime/log.ts';
import { pause } from '../../runtime/pause.ts';
import { differs } from '../../services/naming/identity.ts';
import type { Service } from '../../services/service.ts';
import type { Registry, Watching } from '../registry.ts';
import type { Desired } from './desired.ts';
import { findForeignIds } from './foreign-ids.ts';
import { Losses } from './losses.ts';
import { staleChecks } from './stale-checks.ts';
import { Unserved } from './unserved.ts';
import { Writes } from './writes.ts';

export interface ReconcilerNeeds {
  readonly registry: Registry;
  readonly desired: Pick<Desired, 'get' | 'services' | 'on' | 'off' | 'requestedIds' | 'setForeign'>;
  readonly log: Logger;
}

export interface ReconcilerOptions {
  /** Concurrent writes; default 8, since more make a Consul agent no faster. */
  readonly concurrency?: number;
  /** Time between full passes while nothing happens, in ms; default 60,000. */
  readonly passEvery?: number;
  /** Time until a rejected write is retried, in ms; default 4,000. */
  readonly retryRejectedAfter?: number;
  /** How long the registry may take to serve a service that it accepted, in ms; default 2,000. */
  readonly servePatience?: number;
  /** First and longest wait between retries while the registry is unreachable, in ms; default 200 and 2,000. */
  readonly retry?: Backoff;
  /** What happens to our entries when heddle stops; default `keep`, because the containers keep running. */
  readonly onStop?: 'keep' | 'deregister';
  /** How long a stop waits for pending writes, in ms; default 5,000. */
  readonly stopPatience?: number;
}

export interface ReconcilerStatus {
  /** `starting` until the first full pass, then `synced`, or `away` while the registry does not answer. */
  readonly state: 'starting' | 'synced' | 'away' | 'stopped';
  readonly lastPass: Date | undefined;
  /** Why the registry is away. */
  readonly problem: string | undefined;
  /** Number of ids that wait to be written. */
  readonly pending: number;
  /** The registry's message for each rejected id. */
  readonly errors: ReadonlyMap<string, string>;
  /** Ids that the registry accepted but does not serve. */
  readonly unsynced: readonly string[];
  /** Why they are not served, or why they cannot be compared, and what to do; undefined without a known reason. */
  readonly unsyncedWhy: string | undefined;
}

const DEFAULTS = {
  concurrency: 8,
  passEvery: 60_000,
  retryRejectedAfter: 4000,
  servePatience: 2000,
  // At most 2 s: differences are repaired within 5 s of the registry's return. A small request every 2 s costs nothing.
  retry: { first: 200, longest: 2000 },
  onStop: 'keep',
  stopPatience: 5000,
} as const;

/**
 * Keeps the registry equal to desired state. A change is written at once. A full pass compares everything and writes
 * the differences: at the start, when the registry is back, when it may have changed otherwise, and every 60 s.
 */
export class Reconciler {
  readonly #registry: Registry;
  readonly #desired: ReconcilerNeeds['desired'];
  readonly #log: Logger;
  readonly #options: Required<ReconcilerOptions>;
  readonly #writes: Writes;
  readonly #unserved: Unserved;
  readonly #losses: Losses;
  readonly #stopping = new AbortController();
  #state: ReconcilerStatus['state'] = 'starting';
  #lastPass: Date | undefined;
  /** The same on the monotonic clock, in ms: setting the system clock must not change the age of a pass. */
  #passedAt = Number.NEGATIVE_INFINITY;
  /** Consecutive failures. They determine the wait before a retry; above zero, the outage is not over. */
  #failures = 0;
  #problem: string | undefined;
  #awaySince = 0;
  /** True during a stop that deregisters all our services. */
  #deregistersAll = false;
  #watching: Watching | undefined;
  #loop: Promise<void> | undefined;
  #wake = Promise.withResolvers<void>();
  /** Callers that wait for the next pass. */
  #passWaiters: (() => void)[] = [];

  constructor(needs: ReconcilerNeeds, options: ReconcilerOptions = {}) {
    this.#registry = needs.registry;
    this.#desired = needs.desired;
    this.#log = needs.log;
    this.#options = { ...DEFAULTS, ...options };
    this.#unserved = new Unserved(needs, { patience: this.#options.servePatience });
    this.#losses = new Losses(needs);
    this.#writes = new Writes(
      {
        registry: needs.registry,
        wanted: (id) => (this.#deregistersAll ? undefined : this.#desired.get(id)),
        idTaken: (id) => this.#desired.setForeign(id, true),
        losses: this.#losses,
        answered: () => this.#onWriteAnswered(),
        unanswered: (error) => this.#onWriteFailure(error),
        log: needs.log,
      },
      this.#options,
    );
  }

  /**
   * Resolves after the first attempt at a full pass; an unreachable registry is no error. Call it only when desired
   * state is complete: the pass deregisters everything else. Aborting the signal drops pending writes.
   */
  async start(signal?: AbortSignal): Promise<void> {
    if (this.#loop !== undefined || signal?.aborted) return;
    signal?.addEventListener('abort', () => this.#end(), { once: true, signal: this.#stopping.signal });
    this.#desired.on('changed', this.#onChanged);
    this.#desired.on('statusChanged', this.#onStatusChanged);
    this.#watching = this.#registry.watch(() => this.#wake.resolve());
    const first = this.#nextPass();
    this.#loop = this.#run();
    await first;
  }

  /** Removes our entries unless they are kept, waits a bounded time for pending writes, and ends. */
  async stop({ keep = this.#options.onStop === 'keep' }: { readonly keep?: boolean } = {}): Promise<void> {
    if (this.#state === 'synced') await this.#drain(keep);
    this.#end();
    await this.#loop;
  }

  /** Reports the health of a service again, before the TTL of the last report expires. */
  keepAlive(id: string): void {
    this.#writes.markUnreported([id]);
  }

  /** Resolves when every change is registered or rejected. */
  flush(): Promise<void> {
    return this.#writes.flush();
  }

  /** Runs a full pass now; resolves after the attempt. */
  async recheck(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#wake.resolve();
    await this.#nextPass();
  }

  /** True if the registry rejected this service: our DNS must not answer it either. */
  rejected(id: string): boolean {
    return this.#writes.rejected(id);
  }

  status(): ReconcilerStatus {
    return {
      state: this.#state,
      lastPass: this.#lastPass,
      problem: this.#problem,
      pending: this.#writes.pending,
      errors: this.#writes.errors,
      unsynced: this.#unserved.unsynced,
      unsyncedWhy: this.#unserved.why,
    };
  }

  readonly #onChanged = (ids: readonly string[]): void => this.#writes.markDirty(ids);
  readonly #onStatusChanged = (ids: readonly string[]): void => this.#writes.markUnreported(ids);

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const asked = this.#passWaiters;
      this.#passWaiters = [];
      this.#wake = Promise.withResolvers();
      try {
        await this.#pass(signal);
      } catch (error) {
        this.#onFailure(error);
      }
      for (const done of asked) done();
      if (this.#state === 'synced') await this.#untilWoken();
      if (this.#state === 'away') await pause(backoff(this.#failures, this.#options.retry), signal);
    }
  }

  async #pass(signal: AbortSignal): Promise<void> {
    await this.#registry.ready(signal);
    this.#writes.forgetRecentWrites();
    const held = await this.#registry.list(signal);
    await findForeignIds({ registry: this.#registry, desired: this.#desired }, held, signal);
    const age = performance.now() - this.#passedAt;
    if (this.#state !== 'synced' || age >= this.#options.passEvery) this.#writes.retryRejected();
    this.#compare(new Map(held.map((service) => [service.id, service])));
    this.#writes.markUnreported(await staleChecks(this.#wanted(), this.#registry, signal));
    await this.#unserved.check(held, signal);
    this.#writes.registerAgain(this.#unserved.takeRetries());
    this.#lastPass = new Date();
    this.#passedAt = performance.now();
    if (signal.aborted) return;
    this.#state = 'synced';
    // An outage of writes alone (a registry that still answers reads) ends with a write, not with a read.
    if (this.#writes.dirty.size === 0) this.#onWriteAnswered();
    this.#writes.open();
  }

  /** Marks ids that differ from desired state as dirty, and clears those that turn out correct after a lost answer. */
  #compare(held: ReadonlyMap<string, Service>): void {
    const wantedById = new Map(this.#wanted().map((service) => [service.id, service]));
    const different: string[] = [];
    for (const id of new Set([...held.keys(), ...wantedById.keys(), ...this.#writes.dirty])) {
      if (this.#writes.recentlyWritten(id)) continue;
      if (this.#isCurrent(held.get(id), wantedById.get(id))) this.#writes.clearDirty(id);
      else different.push(id);
    }
    const wanted = (id: string) => wantedById.has(id);
    const recentlyWritten = (id: string) => this.#writes.recentlyWritten(id);
    this.#losses.compare(new Set(held.keys()), { wanted, recentlyWritten });
    this.#writes.markDirty(different);
  }

  #wanted(): readonly Service[] {
    return this.#deregistersAll ? [] : [...this.#desired.services()];
  }

  #isCurrent(held: Service | undefined, wanted: Service | undefined): boolean {
    if (wanted === undefined) return held === undefined;
    if (this.#writes.rejectedAs(wanted)) return true;
    return held !== undefined && !differs(held, wanted);
  }

  /** Eight concurrent writes fail together; they count as one failure. */
  #onWriteFailure(error: unknown): void {
    if (this.#state === 'synced') this.#onFailure(error);
  }

  #onFailure(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#failures === 0) {
      this.#awaySince = performance.now();
      this.#writes.ignoreRejections();
      const effect = "this host's names are still answered; changes are written when it is back";
      this.#log.warn(`the registry is away: ${messageOf(error)}; ${effect}`);
    }
    this.#failures++;
    this.#problem = messageOf(error);
    this.#state = 'away';
    this.#writes.close();
    this.#wake.resolve();
  }

  #onWriteAnswered(): void {
    if (this.#failures === 0 || this.#state !== 'synced') return;
    this.#failures = 0;
    this.#problem = undefined;
    this.#log.info(
      { away: Math.round(performance.now() - this.#awaySince) },
      `${this.#registry.name} is back`,
    );
  }

  async #drain(keep: boolean): Promise<void> {
    if (!keep) {
      this.#deregistersAll = true;
      await this.recheck();
    }
    const patience = new AbortController();
    await Promise.race([this.flush(), pause(this.#options.stopPatience, patience.signal)]);
    patience.abort();
  }

  #end(): void {
    this.#state = 'stopped';
    this.#desired.off('changed', this.#onChanged);
    this.#desired.off('statusChanged', this.#onStatusChanged);
    this.#watching?.stop();
    this.#stopping.abort();
    this.#writes.abort();
    for (const done of this.#passWaiters) done();
    this.#wake.resolve();
  }

  #nextPass(): Promise<void> {
    return new Promise((resolve) => this.#passWaiters.push(resolve));
  }

  async #untilWoken(): Promise<void> {
    const over = new AbortController();
    const { passEvery } = this.#options;
    const wait = Math.min(passEvery, this.#unserved.nextCheckIn ?? passEvery);
    await Promise.race([this.#wake.promise, pause(wait, over.signal)]);
    over.abort();
  }
}
