import type { Docker } from '../docker/engine.ts';
import { type ContainerEvent, EventStream } from '../docker/events.ts';
import { type Snapshot, shortId } from '../docker/snapshot.ts';
import { HeddleError, messageOf } from '../errors.ts';
import type { RosterEntry } from '../roster/entry.ts';
import type { Roster } from '../roster/roster.ts';
import type { Logger } from '../runtime/log.ts';
import { Drains, tellsToStop } from './drains.ts';
import { ignoredProblem } from './granted.ts';
import { Lanes } from './lanes.ts';
import { Rounds } from './rounds.ts';

export interface FollowerNeeds {
  readonly docker: Pick<Docker, 'events' | 'containers' | 'inspect' | 'address'>;
  readonly observer: { observe(snapshot: Snapshot): Promise<RosterEntry> };
  readonly roster: Roster;
  /** What the observer's findings depend on besides the container, as a text: addresses of the host. */
  readonly hostFingerprint?: () => Promise<string>;
  /** Called whenever the engine is there, or back. */
  readonly subscribed?: () => void;
  readonly log: Logger;
}

export interface FollowerOptions {
  /** Take a container out when it is told to stop, before it has ended; default true. */
  readonly drain?: boolean;
}

export interface FollowerStatus {
  /** `connecting` until the stream stands for the first time, `lost` when it broke. */
  readonly stream: 'connecting' | 'following' | 'lost';
  readonly reconnects: number;
  /** True once every container that ran at the start has been looked at. */
  readonly synced: boolean;
  /** When every container was last looked at, whatever events and lists said. */
  readonly lastFullPass: Date | undefined;
  readonly events: number;
  readonly pending: number;
}

/** A pass, whatever the events said: how long a missed change stands that the engine's list shows. */
const PASS_INTERVAL_MS = 60_000;
/** After a failed look (the engine hung up, a proc file vanished): once more, soon; later the passes do it. */
const RETRY_MS = 1_000;
const RETRIES = 5;

/**
 * The loop. Events only mark a container as dirty; what is true is read anew, one lane per container, so that events
 * that come twice, late or in a burst cost one look each at most.
 */
export class Follower {
  readonly #needs: FollowerNeeds;
  readonly #stream: EventStream;
  readonly #lanes = new Lanes();
  /** Looks not begun, and looks under way, by container. */
  readonly #waiting = new Map<string, Promise<void>>();
  readonly #busy = new Map<string, Promise<void>>();
  /** Namespaces that changed during the first pass. */
  readonly #changed = new Set<number | undefined>();
  /** Containers that died or were paused while they were being looked at. */
  readonly #ended = new Set<string>();
  readonly #drain: boolean;
  readonly #drains = new Drains((id) => void this.mark(id));
  /** How often in a row a container could not be dealt with. */
  readonly #failed = new Map<string, number>();
  readonly #firstSync = Promise.withResolvers<void>();
  readonly #firstLoss = Promise.withResolvers<void>();
  readonly #rounds = new Rounds();
  #passing: Promise<void> | undefined;
  #passAgain = false;
  #timers: NodeJS.Timeout[] = [];
  #stopped = false;
  #state: FollowerStatus['stream'] = 'connecting';
  #reconnects = 0;
  /** Whether the engine was away when it was first asked. */
  #waited = false;
  #events = 0;
  #lastFullPass: Date | undefined;

  constructor(needs: FollowerNeeds, { drain = true }: FollowerOptions = {}) {
    this.#needs = needs;
    this.#drain = drain;
    this.#stream = new EventStream(needs, {
      subscribed: () => this.#subscribed(),
      event: (event) => this.#heard(event),
      lost: (error) => this.#lost(error),
    });
  }

  /** Begins to follow; `synced` tells when everything that already ran has been looked at. */
  start(): void {
    this.#stream.start();
    this.#timers = [
      setInterval(() => this.#startPass({ whole: false }), PASS_INTERVAL_MS),
      setInterval(() => this.#retry(), RETRY_MS),
    ];
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#drains.stop();
    this.#lanes.clear();
    await this.#stream.stop();
    await this.#lanes.onIdle();
  }

  /** Resolves after the first complete look at the engine's containers. */
  get synced(): Promise<void> {
    return this.#firstSync.promise;
  }

  /** Resolves when the engine could not be reached, or was lost, for the first time. */
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
      pending: this.#waiting.size + this.#busy.size,
    };
  }

  /**
   * Something changed in a network namespace; `undefined` means in any of them. During the first pass that is mostly
   * our own doing, and is looked at after it; before it there is nothing that the pass will not look at.
   */
  namespaceChanged(namespace: number | undefined): void {
    if (this.#needs.roster.complete) for (const id of this.#concerned(namespace)) void this.mark(id);
    else if (this.#passing) this.#changed.add(namespace);
  }

  #concerned(namespace: number | undefined): readonly string[] {
    if (namespace === undefined) {
      const running = [...this.#needs.roster.entries()].filter(({ snapshot }) => snapshot.pid > 0);
      return running.map(({ snapshot }) => snapshot.id);
    }
    const sharing = this.#needs.roster.inNamespace(namespace);
    // A namespace nobody is known to be in may be that of a container which is being looked at for the first time.
    return sharing.length > 0 ? sharing : [...this.#busy.keys()];
  }

  /** Has a container looked at anew, soon; marking twice costs one look. Resolves after that look, and never throws. */
  mark(id: string): Promise<void> {
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) return waiting;
    // One look at a time: a mark that comes during a look is taken up after it, and the latest word counts.
    const look: Promise<void> = (this.#busy.get(id) ?? Promise.resolve()).then(() =>
      this.#lanes.run(id, async (lingers) => {
        this.#waiting.delete(id);
        this.#busy.set(id, look);
        try {
          await this.#refresh(id, lingers);
        } finally {
          this.#busy.delete(id);
        }
      }),
    );
    this.#waiting.set(id, look);
    return look;
  }

  /** Looks at a container now and tells what it is. */
  async look(id: string): Promise<RosterEntry | undefined> {
    await this.mark(id);
    return this.#needs.roster.get(id);
  }

  /** Lists everything and looks at all of it; a pass asked for during a pass follows it. */
  pass(): void {
    if (this.#passing) this.#passAgain = true;
    else this.#startPass({ whole: true });
  }

  #startPass({ whole }: { readonly whole: boolean }): void {
    this.#passing ??= this.#listAll(whole)
      .catch((error: unknown) => this.#needs.log.debug({ error: messageOf(error) }, 'listing failed'))
      .finally(() => {
        this.#passing = undefined;
        if (this.#passAgain && !this.#stopped) {
          this.#passAgain = false;
          this.pass();
        }
      });
  }

  async #listAll(whole: boolean): Promise<void> {
    const hostFingerprint = await this.#needs.hostFingerprint?.();
    const listed = await this.#needs.docker.containers();
    // Known to us and not in the list: removed, or created since. The look decides.
    const missing = new Set(Array.from(this.#needs.roster.entries(), (entry) => entry.snapshot.id));
    for (const { id } of listed) missing.delete(id);
    const due = [...this.#rounds.due(listed, { whole, hostFingerprint }), ...missing, ...this.#failed.keys()];
    await Promise.all([...new Set(due)].map((id) => this.mark(id)));
    if (whole) this.#lastFullPass = new Date();
    if (this.#needs.roster.complete) return;
    this.#needs.roster.complete = true;
    this.#needs.log.info({ containers: listed.length }, 'all containers looked at');
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
        this.#lanes.forget(id);
        return roster.delete(id);
      }
      lingers(); // what it has is its own affair from here on
      const entry = await observer.observe(snapshot);
      // It ended meanwhile: what was just read is past, and the next look is due.
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
      const isDue = entry.problem !== undefined || entry.awaitingAddress;
      if (isDue && entry.snapshot.running) this.#countFailure(id);
      else this.#failed.delete(id);
    } catch (error) {
      this.#countFailure(id);
      const away = error instanceof HeddleError && error.retryable;
      log[away ? 'debug' : 'warn'](
        { container: shortId(id), error: messageOf(error) },
        'could not look at a container',
      );
    }
  }

  #countFailure(id: string): void {
    this.#failed.set(id, (this.#failed.get(id) ?? 0) + 1);
  }

  #heard(event: ContainerEvent): void {
    this.#events++;
    if (event.action === 'die' || event.action === 'start') this.#drains.end(event.container);
    if (event.action === 'die' || event.action === 'pause') this.#leave(event.container, event.action);
    if (event.action === 'kill' && this.#drain) this.#startDraining(event);
    void this.mark(event.container);
  }

  /** Its clients are sent elsewhere while it ends what it has begun. */
  #startDraining(event: ContainerEvent): void {
    const entry = this.#needs.roster.get(event.container);
    if (!entry?.snapshot.running || !tellsToStop(event, entry.snapshot)) return;
    this.#drains.begin(entry.snapshot);
    this.#needs.roster.set({ ...entry, draining: true });
  }

  /** Takes a container out of the answers that has ended without a word of the engine. */
  hasEnded(id: string): void {
    this.#leave(id, 'die');
  }

  /** What has ended is taken out of the answers at once; the look that follows finds the rest. */
  #leave(id: string, action: 'die' | 'pause'): void {
    if (this.#busy.has(id)) this.#ended.add(id);
    const entry = this.#needs.roster.get(id);
    if (!entry?.snapshot.running) return;
    const snapshot = {
      ...entry.snapshot,
      running: false,
      ...(action === 'die' ? { pid: 0 } : { paused: true }),
    };
    const rest = action === 'die' ? { namespace: undefined, addresses: [] } : {};
    this.#needs.roster.set({ ...entry, ...rest, snapshot });
  }

  #subscribed(): void {
    const engine = this.#needs.docker.address;
    if (this.#state === 'lost') {
      this.#reconnects++;
      this.#needs.log.info({ engine }, 'Docker is back; looking at everything anew');
    } else if (this.#waited) {
      this.#needs.log.info({ engine }, 'Docker answers');
    }
    this.#state = 'following';
    this.#needs.subscribed?.();
    this.pass();
  }

  #lost(error: Error): void {
    this.#firstLoss.resolve();
    if (this.#state === 'connecting') {
      this.#waited = true;
      this.#needs.log.warn({ error: error.message }, 'Docker does not answer; trying until it does');
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
