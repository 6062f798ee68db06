import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../../errors.ts';
import { type Backoff, waitAfter } from '../../runtime/backoff.ts';
import type { Logger } from '../../runtime/log.ts';
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
  readonly desired: Pick<Desired, 'get' | 'services' | 'on' | 'off' | 'wantedIds' | 'setForeign'>;
  readonly log: Logger;
}

export interface ReconcilerOptions {
  /** Writes in flight at once; default 8, all that a Consul agent makes use of. */
  readonly concurrency?: number;
  /** Time between full passes while nothing happens, in ms; default 60,000. */
  readonly passEvery?: number;
  /** Time until something that was refused is tried again, in ms; default 4,000. */
  readonly tryRefusedAfter?: number;
  /** How long the registry may take until it serves what it took, in ms; default 2,000. */
  readonly servePatience?: number;
  /** First and longest wait before an absent registry is tried again, in ms; default 200 and 2,000. */
  readonly retry?: Backoff;
  /** What becomes of our entries when heddle stops; default `keep`: the containers live on. */
  readonly onStop?: 'keep' | 'deregister';
  /** How long a stop waits for writes under way, in ms; default 5,000. */
  readonly stopPatience?: number;
}

export interface ReconcilerStatus {
  /** `starting` until the first full pass, then `synced` or, while the registry does not answer, `away`. */
  readonly state: 'starting' | 'synced' | 'away' | 'stopped';
  readonly lastPass: Date | undefined;
  /** Why the registry is away. */
  readonly problem: string | undefined;
  /** How many ids wait to be written. */
  readonly pending: number;
  /** What the registry refused, by id. */
  readonly errors: ReadonlyMap<string, string>;
  /** Ids that the registry acknowledged and does not serve. */
  readonly unsynced: readonly string[];
  /** Why, or why that cannot be told, and what to do, where that is known. */
  readonly unsyncedWhy: string | undefined;
}

const DEFAULTS = {
  concurrency: 8,
  passEvery: 60_000,
  tryRefusedAfter: 4000,
  servePatience: 2000,
  // Never longer than 2 s: what is wrong is healed within 5 s of a registry's return, and one small question every
  // 2 s costs it nothing.
  retry: { first: 200, longest: 2000 },
  onStop: 'keep',
  stopPatience: 5000,
} as const;

const pause = (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal }).catch(() => undefined);

/**
 * Keeps the registry equal to what is desired. A change is written at once. A full pass compares everything, and
 * writes the differences: at the start, when the registry came back, when it may have changed behind our back, and
 * every 60 s.
 */
export class Reconciler {
  readonly #registry: Registry;
  readonly #desired: ReconcilerNeeds['desired'];
  readonly #log: Logger;
  readonly #options: Required<ReconcilerOptions>;
  readonly #writes: Writes;
  readonly #served: Unserved;
  readonly #losses: Losses;
  readonly #stopping = new AbortController();
  #state: ReconcilerStatus['state'] = 'starting';
  #lastPass: Date | undefined;
  /** The same in ms of the process: a clock that is set must not make a pass old or new. */
  #passedAt = Number.NEGATIVE_INFINITY;
  /** Failures in a row: they set how long to wait, and an outage lasts as long as there are any. */
  #failures = 0;
  #problem: string | undefined;
  #lostAt = 0;
  /** True while everything of ours is to go, at a stop that deregisters. */
  #leaving = false;
  #watching: Watching | undefined;
  #loop: Promise<void> | undefined;
  #wake = Promise.withResolvers<void>();
  /** Who waits for the next pass. */
  #asked: (() => void)[] = [];

  constructor(needs: ReconcilerNeeds, options: ReconcilerOptions = {}) {
    this.#registry = needs.registry;
    this.#desired = needs.desired;
    this.#log = needs.log;
    this.#options = { ...DEFAULTS, ...options };
    this.#served = new Unserved(needs, { patience: this.#options.servePatience });
    this.#losses = new Losses(needs);
    this.#writes = new Writes(
      {
        registry: needs.registry,
        wanted: (id) => (this.#leaving ? undefined : this.#desired.get(id)),
        taken: (id) => this.#desired.setForeign(id, true),
        losses: this.#losses,
        answered: () => this.#answered(),
        lost: (error) => this.#lostWrite(error),
        log: needs.log,
      },
      this.#options,
    );
  }

  /**
   * Resolves after the first attempt at a full pass; a registry that is away is no error. Call it when the desired
   * state is complete for the first time: what it lacks, the pass removes. An aborted signal ends without draining.
   */
  async start(signal?: AbortSignal): Promise<void> {
    if (this.#loop !== undefined || signal?.aborted) return;
    signal?.addEventListener('abort', () => this.#end(), { once: true, signal: this.#stopping.signal });
    this.#desired.on('changed', this.#onChanged);
    this.#desired.on('told', this.#onTold);
    this.#watching = this.#registry.watch(() => this.#wake.resolve());
    const first = this.#nextPass();
    this.#loop = this.#run();
    await first;
  }

  /** Waits a little for writes under way, removes what is ours if it is to go and not to be kept, and ends. */
  async stop({ keep = this.#options.onStop === 'keep' }: { readonly keep?: boolean } = {}): Promise<void> {
    if (this.#state === 'synced') await this.#drain(keep);
    this.#end();
    await this.#loop;
  }

  /** Tells the health of a service again, before what was told before expires. */
  keepAlive(id: string): void {
    this.#writes.tell([id]);
  }

  /** Resolves when everything that changed is written, or refused. */
  flush(): Promise<void> {
    return this.#writes.flush();
  }

  /** Compares everything now; resolves after the attempt. */
  async recheck(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const passed = this.#nextPass();
    this.#wake.resolve();
    await passed;
  }

  /** True where the registry said no to this service: it must not be answered by us either. */
  refused(id: string): boolean {
    return this.#writes.refused(id);
  }

  status(): ReconcilerStatus {
    return {
      state: this.#state,
      lastPass: this.#lastPass,
      problem: this.#problem,
      pending: this.#writes.pending,
      errors: this.#writes.errors,
      unsynced: this.#served.unsynced,
      unsyncedWhy: this.#served.why,
    };
  }

  readonly #onChanged = (ids: readonly string[]): void => this.#writes.mark(ids);
  readonly #onTold = (ids: readonly string[]): void => this.#writes.tell(ids);

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const asked = this.#asked;
      this.#asked = [];
      this.#wake = Promise.withResolvers();
      try {
        await this.#pass(signal);
      } catch (error) {
        this.#lost(error);
      }
      for (const done of asked) done();
      if (this.#state === 'synced') await this.#untilWoken();
      if (this.#state === 'away') await pause(waitAfter(this.#failures, this.#options.retry), signal);
    }
  }

  async #pass(signal: AbortSignal): Promise<void> {
    await this.#registry.ready(signal);
    this.#writes.forgetRecent();
    const held = await this.#registry.list(signal);
    await findForeignIds({ registry: this.#registry, desired: this.#desired }, held, signal);
    const age = performance.now() - this.#passedAt;
    if (this.#state !== 'synced' || age >= this.#options.passEvery) this.#writes.forgive();
    this.#compare(new Map(held.map((service) => [service.id, service])));
    this.#writes.tell(await staleChecks(this.#wanted(), this.#registry, signal));
    await this.#served.look(held, signal);
    this.#writes.registerAgain(this.#served.again());
    this.#lastPass = new Date();
    this.#passedAt = performance.now();
    if (signal.aborted) return;
    this.#state = 'synced';
    // An outage that only writes see (a registry that reads but does not take) ends with a write, not with a read.
    if (this.#writes.marked.size === 0) this.#answered();
    this.#writes.open();
  }

  /** Marks what is not as desired; what was marked and turned out right, perhaps by a lost answer, is unmarked. */
  #compare(held: ReadonlyMap<string, Service>): void {
    const wantedById = new Map(this.#wanted().map((service) => [service.id, service]));
    const wrong: string[] = [];
    for (const id of new Set([...held.keys(), ...wantedById.keys(), ...this.#writes.marked])) {
      if (this.#writes.recent(id)) continue;
      if (this.#right(held.get(id), wantedById.get(id))) this.#writes.unmark(id);
      else wrong.push(id);
    }
    const wanted = (id: string) => wantedById.has(id);
    this.#losses.look(new Set(held.keys()), { wanted, unsure: (id) => this.#writes.recent(id) });
    this.#writes.mark(wrong);
  }

  #wanted(): readonly Service[] {
    return this.#leaving ? [] : [...this.#desired.services()];
  }

  #right(held: Service | undefined, wanted: Service | undefined): boolean {
    if (wanted === undefined) return held === undefined;
    if (this.#writes.refusedAs(wanted)) return true;
    return held !== undefined && !differs(held, wanted);
  }

  /** Writes fail eight at a time; together they are one failure. */
  #lostWrite(error: unknown): void {
    if (this.#state === 'synced') this.#lost(error);
  }

  #lost(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#failures === 0) {
      this.#lostAt = performance.now();
      this.#writes.doubt();
      const meanwhile = 'names of this host are still answered, and changes are written when it is back';
      this.#log.warn(`the registry is away: ${messageOf(error)}; ${meanwhile}`);
    }
    this.#failures++;
    this.#problem = messageOf(error);
    this.#state = 'away';
    this.#writes.close();
    this.#wake.resolve();
  }

  #answered(): void {
    if (this.#failures === 0 || this.#state !== 'synced') return;
    this.#failures = 0;
    this.#problem = undefined;
    this.#log.info({ away: Math.round(performance.now() - this.#lostAt) }, `${this.#registry.name} is back`);
  }

  async #drain(keep: boolean): Promise<void> {
    if (!keep) {
      this.#leaving = true;
      await this.recheck();
    }
    const patience = new AbortController();
    await Promise.race([this.flush(), pause(this.#options.stopPatience, patience.signal)]);
    patience.abort();
  }

  #end(): void {
    this.#state = 'stopped';
    this.#desired.off('changed', this.#onChanged);
    this.#desired.off('told', this.#onTold);
    this.#watching?.stop();
    this.#stopping.abort();
    this.#writes.abort();
    for (const done of this.#asked) done();
    this.#wake.resolve();
  }

  #nextPass(): Promise<void> {
    return new Promise((resolve) => this.#asked.push(resolve));
  }

  async #untilWoken(): Promise<void> {
    const over = new AbortController();
    const { passEvery } = this.#options;
    const wait = Math.min(passEvery, this.#served.lookAgain ?? passEvery);
    await Promise.race([this.#wake.promise, pause(wait, over.signal)]);
    over.abort();
  }
}
