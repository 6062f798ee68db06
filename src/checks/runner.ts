import type { Desired } from '../registry/reconcile/desired.ts';
import type { Logger } from '../runtime/log.ts';
import { milliseconds } from '../services/checks/duration.ts';
import { MIN_INTERVAL_MS } from '../services/checks/rate-limit.ts';
import { type Check, OWNER_META, type Service } from '../services/service.ts';
import { isProbed, type Probe, probe } from './probe.ts';
import { Slots } from './slots.ts';

export interface CheckRunnerNeeds {
  readonly desired: Pick<Desired, 'get' | 'on' | 'off' | 'setStatus'>;
  readonly log: Logger;
  /** Default: over the network. */
  readonly probe?: Probe;
  /** True if an agent runs checks: heddle then runs only those with `runBy: 'heddle'`; default false. */
  readonly besideAgent?: boolean;
}

/**
 * Concurrent probes, each with one socket: a container with hanging checks does not delay another container's. Each
 * container starts at most 50 a second: hundreds of ports that refuse at once would use much of a processor.
 */
const SLOTS = { total: 256, each: 4, restMs: 20 };
/** Consul's default. */
const TIMEOUT_MS = 10_000;
/** Containers choose timeouts, and a hanging probe occupies one of the slots. */
const MAX_TIMEOUT_MS = 30_000;
const MAX_INTERVAL_MS = 24 * 3_600_000;
/** Spreads the first runs of checks that appear together. */
const FIRST_WITHIN_MS = 500;

interface Run {
  /** The container. */
  readonly owner: string;
  readonly timeoutMs: number;
  readonly intervalMs: number;
  isOver: boolean;
  timer: NodeJS.Timeout | undefined;
  /** The running probe. */
  probing: AbortController | undefined;
}

/**
 * Runs the checks of desired services that no agent runs: each at its interval, with jitter, while its service is
 * desired. Results go to the desired state.
 */
export class CheckRunner {
  readonly #needs: CheckRunnerNeeds;
  readonly #probe: Probe;
  readonly #slots = new Slots(SLOTS);
  /** By service id. */
  readonly #runs = new Map<string, readonly Run[]>();

  constructor(needs: CheckRunnerNeeds) {
    this.#needs = needs;
    this.#probe = needs.probe ?? probe;
  }

  /** The number of checks that are scheduled. */
  get size(): number {
    return [...this.#runs.values()].reduce((sum, runs) => sum + runs.length, 0);
  }

  /** Call it before the first service is desired. */
  start(): void {
    this.#needs.desired.on('changed', this.#onChanged);
  }

  async stop(): Promise<void> {
    this.#needs.desired.off('changed', this.#onChanged);
    for (const id of this.#runs.keys()) this.#end(id);
    this.#slots.clear();
    await this.#slots.idle();
  }

  readonly #onChanged = (ids: readonly string[]): void => {
    for (const id of ids) {
      this.#end(id);
      const isRunHere = (check: Check) =>
        isProbed(check) && (this.#needs.besideAgent !== true || check.runBy === 'heddle');
      const service = this.#needs.desired.get(id);
      const checks = service?.checks.filter(isRunHere) ?? [];
      if (service === undefined || checks.length === 0) continue;
      const runs = checks.map((check) => this.#begin(service, check));
      this.#runs.set(id, runs);
    }
  };

  #begin({ id: service, meta }: Service, check: Check): Run {
    const owner = meta[OWNER_META.container] ?? service;
    const timeoutMs = bounded(check.timeout, TIMEOUT_MS, 1, MAX_TIMEOUT_MS);
    const intervalMs = bounded(check.interval, TIMEOUT_MS, MIN_INTERVAL_MS, MAX_INTERVAL_MS);
    const run: Run = { owner, timeoutMs, intervalMs, isOver: false, timer: undefined, probing: undefined };
    this.#schedule(Math.random() * FIRST_WITHIN_MS, run, service, check);
    return run;
  }

  #end(service: string): void {
    for (const run of this.#runs.get(service) ?? []) {
      run.isOver = true;
      run.probing?.abort();
      clearTimeout(run.timer);
    }
    this.#runs.delete(service);
  }

  #schedule(ms: number, run: Run, service: string, check: Check): void {
    const runOnce = () => this.#runOnce(run, service, check);
    run.timer = setTimeout(() => this.#slots.add(run.owner, runOnce, () => run.isOver), ms);
  }

  async #runOnce(run: Run, service: string, check: Check): Promise<void> {
    const probing = new AbortController();
    run.probing = probing;
    const timeout = setTimeout(() => probing.abort(), run.timeoutMs);
    const { status, output } = await this.#probe(check, probing.signal);
    clearTimeout(timeout);
    run.probing = undefined;
    if (run.isOver) return;
    this.#needs.log.trace({ service, check: check.id, status }, output);
    this.#needs.desired.setStatus(service, check.id, status);
    this.#schedule(run.intervalMs * (0.95 + Math.random() / 10), run, service, check);
  }
}

function bounded(text: string | undefined, missing: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, milliseconds(text ?? '') ?? missing));
}
