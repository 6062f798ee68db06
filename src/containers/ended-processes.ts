import { setImmediate as turn } from 'node:timers/promises';
import { type Snapshot, shortId } from '../docker/snapshot.ts';
import type { Roster } from '../roster/roster.ts';
import type { Logger } from '../runtime/log.ts';
import type { Follower } from './follow.ts';

export interface EndedProcessesNeeds {
  readonly roster: Pick<Roster, 'entries' | 'get'>;
  readonly follower: Pick<Follower, 'status' | 'hasEnded'>;
  /** Whether a container's process is gone, as the kernel tells without the engine. */
  readonly isGone: (snapshot: Snapshot) => Promise<boolean>;
  readonly log: Pick<Logger, 'info'>;
}

/** How soon a container that ends while its engine is away is taken out of the answers. */
const LOOK_MS = 1_000;
/** Processes looked at in one turn of the event loop: some microseconds each. */
const A_TURN = 50;

/**
 * While the engine is away nobody says that a container has ended; the kernel knows. Only those count whose process was
 * found before: where processes cannot be seen, none of them has ended.
 */
export class EndedProcesses {
  readonly #needs: EndedProcessesNeeds;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  constructor(needs: EndedProcessesNeeds) {
    this.#needs = needs;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#looking ??= this.look().finally(() => {
        this.#looking = undefined;
      });
    }, LOOK_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Looks once at every container that runs, as far as is known. Never throws. */
  async look(): Promise<void> {
    const { roster, follower } = this.#needs;
    if (follower.status().stream !== 'lost') return;
    const running = Array.from(roster.entries()).filter(
      ({ snapshot, namespace }) => snapshot.running && snapshot.pid > 0 && namespace !== undefined,
    );
    for (const [at, { snapshot }] of running.entries()) {
      if (at % A_TURN === A_TURN - 1) await turn();
      await this.#lookAt(snapshot);
    }
  }

  async #lookAt(snapshot: Snapshot): Promise<void> {
    const { roster, follower, isGone, log } = this.#needs;
    const { id, pid, name } = snapshot;
    // The engine may have come back meanwhile, and said what is true now.
    const isCurrent = () => roster.get(id)?.snapshot.pid === pid && follower.status().stream === 'lost';
    if (!isCurrent() || !(await isGone(snapshot).catch(() => false)) || !isCurrent()) return;
    log.info(
      { container: shortId(id), name },
      'its process is gone while Docker is away: not answered any more',
    );
    follower.hasEnded(id);
  }
}
