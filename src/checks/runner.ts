import type { Desired } from '../registry/reconcile/desired.ts';
import type { Logger } from '../runtime/log.ts';
import { milliseconds } from '../services/checks/duration.ts';
import { LEAST_INTERVAL_MS } from '../services/checks/pace.ts';
import { type Check, OWNER_META, type Service } from '../services/service.ts';
import { isProbed, type Probe, probe } from './probe.ts';
import { Slots } from './slots.ts';

export interface CheckRunnerNeeds {
  readonly desired: Pick<Desired, 'get' | 'on' | 'off' | 'tell'>;
  readonly log: Logger;
  /** Default: the network. */
  readonly probe?: Probe;
  /** True where an agent runs checks: then only those that are heddle's to run; default false. */
  readonly besideAgent?: boolean;
}

/**
 * Probes at once, each with one socket; a container whose checks hang keeps no other container's waiting. One begins at
 * most 50 a second: hundreds of ports that refuse at once would take a good part of a processor.
 */
const SLOTS = { total: 256, each: 4, restMs: 20 };
/** Consul's own default. */
const TIMEOUT_MS = 10_000;
/** Containers choose these: a probe that hangs holds one of the sockets. */
const LONGEST_TIMEOUT_MS = 30_000;
const LONGEST_INTERVAL_MS = 24 * 3_600_000;
/** Checks that appear together are not all run in the same instant. */
const FIRST_WITHIN_MS = 500;

interface Run {
  /** The container. */
  readonly owner: string;
  readonly timeoutMs: number;
  readonly intervalMs: number;
  isOver: boolean;
  timer: NodeJS.Timeout | undefined;
  /** The probe that is under way. */
  probing: AbortController | undefined;
}

/**
 * Runs the checks of desired services where no agent does: each at its interval, with jitter, for as long as its
 * service is desired. Results go into desired state.
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

  /** How many checks are being run. */
  get size(): number {
    return [...this.#runs.values()].reduce((sum, runs) => sum + runs.length, 0);
  }

  /** Call it before there are services. */
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
      const isOurs = (check: Check) =>
        isProbed(check) && (this.#needs.besideAgent !== true || check.runBy === 'heddle');
      const service = this.#needs.desired.get(id);
      const checks = service?.checks.filter(isOurs) ?? [];
      if (service === undefined || checks.length === 0) continue;
      const runs = checks.map((check) => this.#begin(service, check));
      this.#runs.set(id, runs);
    }
  };

  #begin({ id: service, meta }: Service, check: Check): Run {
    const owner = meta[OWNER_META.container] ?? service;
    const timeoutMs = bounded(check.timeout, TIMEOUT_MS, 1, LONGEST_TIMEOUT_MS);
    const intervalMs = bounded(check.interval, TIMEOUT_MS, LEAST_INTERVAL_MS, LONGEST_INTERVAL_MS);
    const run: Run = { owner, timeoutMs, intervalMs, isOver: false, timer: undefined, probing: undefined };
    this.#after(Math.random() * FIRST_WITHIN_MS, run, service, check);
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

  #after(ms: number, run: Run, service: string, check: Check): void {
    const turn = () => this.#turn(run, service, check);
    run.timer = setTimeout(() => this.#slots.add(run.owner, turn, () => run.isOver), ms);
  }

  async #turn(run: Run, service: string, check: Check): Promise<void> {
    const probing = new AbortController();
    run.probing = probing;
    const late = setTimeout(() => probing.abort(), run.timeoutMs);
    const { status, output } = await this.#probe(check, probing.signal);
    clearTimeout(late);
    run.probing = undefined;
    if (run.isOver) return;
    this.#needs.log.trace({ service, check: check.id, status }, output);
    this.#needs.desired.tell(service, check.id, status);
    this.#after(run.intervalMs * (0.95 + Math.random() / 10), run, service, check);
  }
}

function bounded(text: string | undefined, missing: number, least: number, longest: number): number {
  return Math.min(longest, Math.max(least, milliseconds(text ?? '') ?? missing));
}
