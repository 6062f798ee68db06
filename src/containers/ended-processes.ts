import { setImmediate as turn } from 'node:timers/promises';
import { type Snapshot, shortId } from '../docker/snapshot.ts';
import type { Roster } from '../roster/roster.ts';
import type { Logger } from '../runtime/log.ts';
import type { Follower } from './follow.ts';

export interface EndedProcessesNeeds {
  readonly roster: Pick<Roster, 'entries' | 'get'>;
  readonly follower: Pick<Follower, 'status' | 'hasEnded'>;
  /** Whether the kernel no longer has the container's process. */
  readonly isGone: (snapshot: Snapshot) => Promise<boolean>;
  readonly log: Pick<Logger, 'info'>;
}

/** How soon a container that ends while its engine is away is no longer answered for. */
const CHECK_MS = 1_000;
/** Processes checked in one turn of the event loop: some microseconds each. */
const PER_TURN = 50;

/**
 * Detects containers that end while the engine is away: it cannot report them, but the kernel has their processes. Only
 * containers whose process was found before count: where processes cannot be seen, a missing one proves nothing.
 */
export class EndedProcesses {
  readonly #needs: EndedProcessesNeeds;
  #timer: NodeJS.Timeout | undefined;
  #checking: Promise<void> | undefined;

  constructor(needs: EndedProcessesNeeds) {
    this.#needs = needs;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#checking ??= this.check().finally(() => {
        this.#checking = undefined;
      });
    }, CHECK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#checking;
  }

  /** Checks every container that runs according to the roster. Never throws. */
  async check(): Promise<void> {
    const { roster, follower } = this.#needs;
    if (follower.status().stream !== 'lost') return;
    const running = Array.from(roster.entries()).filter(
      ({ snapshot, namespace }) => snapshot.running && snapshot.pid > 0 && namespace !== undefined,
    );
    for (const [at, { snapshot }] of running.entries()) {
      if (at % PER_TURN === PER_TURN - 1) await turn();
      await this.#checkOne(snapshot);
    }
  }

  async #checkOne(snapshot: Snapshot): Promise<void> {
    const { roster, follower, isGone, log } = this.#needs;
    const { id, pid, name } = snapshot;
    // The engine may have come back and reported the container in the meantime.
    const isCurrent = () => roster.get(id)?.snapshot.pid === pid && follower.status().stream === 'lost';
    if (!isCurrent() || !(await isGone(snapshot).catch(() => false)) || !isCurrent()) return;
    log.info({ container: shortId(id), name }, 'process ended while Docker is away: no longer answered');
    follower.hasEnded(id);
  }
}
