import type { Docker } from '../docker/engine.ts';
import { type ContainerEvent, EventStream } from '../docker/events.ts';
import { type Snapshot, shortId } from '../docker/snapshot.ts';
import { HeddleError, messageOf } from '../errors.ts';
import type { RosterEntry } from '../roster/entry.ts';
import type { Roster } from '../roster/roster.ts';
import type { Logger } from '../runtime/log.ts';
import { Drains, isStopRequest } from './drains.ts';
import { ignoredProblem } from './granted.ts';
import { Inspections } from './inspections.ts';
import { Rounds } from './rounds.ts';

export interface FollowerNeeds {
  readonly docker: Pick<Docker, 'events' | 'containers' | 'inspect' | 'address'>;
  readonly observer: { observe(snapshot: Snapshot): Promise<RosterEntry> };
  readonly roster: Roster;
  /** What the observer's findings depend on besides the container, as a text: addresses of the host. */
  readonly hostFingerprint?: () => Promise<string>;
  /** Called whenever the stream of events is connected, also after a loss. */
  readonly subscribed?: () => void;
  readonly log: Logger;
}

export interface FollowerOptions {
  /** Remove a container from the answers when it is asked to stop, before it has ended; default true. */
  readonly drain?: boolean;
}

export interface FollowerStatus {
  /** `connecting` until the stream is connected for the first time, `lost` after it broke. */
  readonly stream: 'connecting' | 'following' | 'lost';
  readonly reconnects: number;
  /** True once every container that ran at the start has been inspected. */
  readonly synced: boolean;
  /** When every container was last inspected, whatever events and lists reported. */
  readonly lastFullPass: Date | undefined;
  readonly events: number;
  readonly pending: number;
}

/** Interval of scans that need no event: how long a missed change that the engine's list shows can last. */
const SCAN_INTERVAL_MS = 60_000;
/** A failed inspection (the engine hung up, a proc file vanished) is repeated soon; later the scans repeat it. */
const RETRY_MS = 1_000;
const RETRIES = 5;

/**
 * The loop that keeps the roster true. Events only mark a container as dirty; its state is read anew, one inspection per
 * container at a time. Events that arrive twice, late or in a burst therefore cost at most one inspection each.
 */
export class Follower {
  readonly #needs: FollowerNeeds;
  readonly #stream: EventStream;
  readonly #inspections = new Inspections((id, lingers) => this.#refresh(id, lingers));
  /** Namespaces that changed during the first scan. */
  readonly #changed = new Set<number | undefined>();
  /** Containers that died or were paused during their inspection. */
  readonly #ended = new Set<string>();
  readonly #drain: boolean;
  readonly #drains = new Drains((id) => void this.mark(id));
  /** Failures in a row, by container. */
  readonly #failed = new Map<string, number>();
  readonly #firstSync = Promise.withResolvers<void>();
  readonly #firstLoss = Promise.withResolvers<void>();
  readonly #rounds = new Rounds();
  #scanning: Promise<void> | undefined;
  #scanAgain = false;
  #timers: NodeJS.Timeout[] = [];
  #stopped = false;
  #state: FollowerStatus['stream'] = 'connecting';
  #reconnects = 0;
  /** Whether the engine was away at the first attempt. */
  #wasAway = false;
  #events = 0;
  #lastFullPass: Date | undefined;

  constructor(needs: FollowerNeeds, { drain = true }: FollowerOptions = {}) {
    this.#needs = needs;
    this.#drain = drain;
    this.#stream = new EventStream(needs, {
      subscribed: () => this.#subscribed(),
      event: (event) => this.#received(event),
      lost: (error) => this.#lost(error),
    });
  }

  /** Begins to follow; `synced` resolves when every container that already ran has been inspected. */
  start(): void {
    this.#stream.start();
    this.#timers = [
      setInterval(() => this.#startScan({ whole: false }), SCAN_INTERVAL_MS),
      setInterval(() => this.#retry(), RETRY_MS),
    ];
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#drains.stop();
    this.#inspections.clear();
    await this.#stream.stop();
    await this.#inspections.onIdle();
  }

  /** Resolves after the first full scan, when the roster is complete. */
  get synced(): Promise<void> {
    return this.#firstSync.promise;
  }

  /** Resolves when the engine is unreachable, or lost, for the first time. */
  get lostAtFirst(): Promise<void> {
    return this.#firstLoss.promise;
  }

  status(): FollowerStatus {
    return {
      stream: this.#state,
      reconnects: this.#reconnects,
      synced: this.#needs.roster.complete,
      lastFullPass: this.#lastFullPass,
      events: this.#events,
      pending: this.#inspections.pending,
    };
  }

  /**
   * Reports a change in a network namespace; `undefined` stands for all of them. During the first scan most changes are
   * our own: they are inspected after it. Before the first scan they need nothing: it inspects every container.
   */
  namespaceChanged(namespace: number | undefined): void {
    if (this.#needs.roster.complete) for (const id of this.#containersIn(namespace)) void this.mark(id);
    else if (this.#scanning) this.#changed.add(namespace);
  }

  #containersIn(namespace: number | undefined): readonly string[] {
    if (namespace === undefined) {
      const running = [...this.#needs.roster.entries()].filter(({ snapshot }) => snapshot.pid > 0);
      return running.map(({ snapshot }) => snapshot.id);
    }
    const sharing = this.#needs.roster.inNamespace(namespace);
    // A namespace without a known container may belong to one that is being inspected for the first time.
    return sharing.length > 0 ? sharing : this.#inspections.running();
  }

  /** Marks a container as dirty: it is inspected soon. Resolves after the inspection, and never throws. */
  mark(id: string): Promise<void> {
    return this.#inspections.mark(id);
  }

  /** Inspects a container now. @returns its entry; undefined for a container that does not exist */
  async inspect(id: string): Promise<RosterEntry | undefined> {
    await this.mark(id);
    return this.#needs.roster.get(id);
  }

  /** Lists all containers and inspects every one; a call during a scan starts another one after it. */
  fullScan(): void {
    if (this.#scanning) this.#scanAgain = true;
    else this.#startScan({ whole: true });
  }

  #startScan({ whole }: { readonly whole: boolean }): void {
    this.#scanning ??= this.#listAll(whole)
      .catch((error: unknown) => this.#needs.log.debug({ error: messageOf(error) }, 'listing failed'))
      .finally(() => {
        this.#scanning = undefined;
        if (this.#scanAgain && !this.#stopped) {
          this.#scanAgain = false;
          this.fullScan();
        }
      });
  }

  async #listAll(whole: boolean): Promise<void> {
    const hostFingerprint = await this.#needs.hostFingerprint?.();
    const listed = await this.#needs.docker.containers();
    // In the roster and not in the list: removed, or created since. The inspection decides.
    const missing = new Set(Array.from(this.#needs.roster.entries(), (entry) => entry.snapshot.id));
    for (const { id } of listed) missing.delete(id);
    const selected = this.#rounds.select(listed, { whole, hostFingerprint });
    await Promise.all(
      [...new Set([...selected, ...missing, ...this.#failed.keys()])].map((id) => this.mark(id)),
    );
    if (whole) this.#lastFullPass = new Date();
    if (this.#needs.roster.complete) return;
    this.#needs.roster.complete = true;
    this.#needs.log.info({ containers: listed.length }, 'all containers inspected');
    this.#firstSync.resolve();
    for (const namespace of this.#changed) this.namespaceChanged(namespace);
    this.#changed.clear();
  }

  async #refresh(id: string, lingers: () => void): Promise<void> {
    const { docker, observer, roster, log } = this.#needs;
    this.#ended.delete(id);
    try {
      const snapshot = await docker.inspect(id);
      if (snapshot === undefined) {
        this.#failed.delete(id);
        this.#inspections.forget(id);
        return roster.delete(id);
      }
      lingers(); // from here on the container controls how long it takes
      const entry = await observer.observe(snapshot);
      // It ended in the meantime: what was just read is outdated, and another inspection follows.
      if (this.#ended.has(id)) return;
      const known = roster.get(id);
      const [ignored] = ignoredProblem(entry);
      for (const [problem, before] of [
        [entry.problem, known?.problem],
        [ignored, known && ignoredProblem(known)[0]],
      ]) {
        if (problem !== undefined && problem !== before) {
          log.warn({ container: shortId(id), name: snapshot.name }, problem);
        }
      }
      roster.set(this.#drains.has(id) ? { ...entry, draining: true } : entry);
      const isIncomplete = entry.problem !== undefined || entry.awaitingAddress;
      if (isIncomplete && entry.snapshot.running) this.#countFailure(id);
      else this.#failed.delete(id);
    } catch (error) {
      this.#countFailure(id);
      const away = error instanceof HeddleError && error.retryable;
      log[away ? 'debug' : 'warn'](
        { container: shortId(id), error: messageOf(error) },
        'could not inspect a container',
      );
    }
  }

  #countFailure(id: string): void {
    this.#failed.set(id, (this.#failed.get(id) ?? 0) + 1);
  }

  #received(event: ContainerEvent): void {
    this.#events++;
    if (event.action === 'die' || event.action === 'start') this.#drains.end(event.container);
    if (event.action === 'die' || event.action === 'pause') this.#markEnded(event.container, event.action);
    if (event.action === 'kill' && this.#drain) this.#startDraining(event);
    void this.mark(event.container);
  }

  /** Its clients are sent elsewhere while it completes what it has begun. */
  #startDraining(event: ContainerEvent): void {
    const entry = this.#needs.roster.get(event.container);
    if (!entry?.snapshot.running || !isStopRequest(event, entry.snapshot)) return;
    this.#drains.begin(entry.snapshot);
    this.#needs.roster.set({ ...entry, draining: true });
  }

  /** Removes a container from the answers that ended without an event of the engine. */
  hasEnded(id: string): void {
    this.#markEnded(id, 'die');
  }

  /** A container that ended is removed from the answers at once; the inspection that follows finds the rest. */
  #markEnded(id: string, action: 'die' | 'pause'): void {
    if (this.#inspections.isRunning(id)) this.#ended.add(id);
    const entry = this.#needs.roster.get(id);
    if (!entry?.snapshot.running) return;
    const { snapshot } = entry;
    const ended =
      action === 'die'
        ? { snapshot: { ...snapshot, running: false, pid: 0 }, namespace: undefined, addresses: [] }
        : { snapshot: { ...snapshot, running: false, paused: true } };
    this.#needs.roster.set({ ...entry, ...ended });
  }

  #subscribed(): void {
    const engine = this.#needs.docker.address;
    if (this.#state === 'lost') {
      this.#reconnects++;
      this.#needs.log.info({ engine }, 'Docker is back; inspecting all containers');
    } else if (this.#wasAway) {
      this.#needs.log.info({ engine }, 'Docker answers');
    }
    this.#state = 'following';
    this.#needs.subscribed?.();
    this.fullScan();
  }

  #lost(error: Error): void {
    this.#firstLoss.resolve();
    if (this.#state === 'connecting') {
      this.#wasAway = true;
      this.#needs.log.warn({ error: error.message }, 'Docker does not answer; retrying until it does');
      return;
    }
    this.#state = 'lost';
    this.#needs.log.warn(
      { error: error.message },
      'lost the stream of Docker events; reconnecting until it is back',
    );
  }

  #retry(): void {
    if (this.#state !== 'following') return;
    for (const [id, times] of this.#failed) if (times <= RETRIES) void this.mark(id);
  }
}
