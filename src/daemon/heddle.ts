import type { LoadedSettings } from '../config/load.ts';
import { takeOver } from '../control/client.ts';
import { DockerClient } from '../docker/client.ts';
import { DockerEngine } from '../docker/engine.ts';
import { engineAddress } from '../docker/engine-address.ts';
import type { RunOnHost } from '../operations/host-operations.ts';
import type { Logger } from '../runtime/log.ts';
import { readMetadata } from '../services/read-metadata.ts';
import { hostIdOfEngine, readMachineId } from '../state/host-id.ts';
import { StateFile } from '../state/state.ts';
import { VERSION } from '../version.ts';
import { Lifecycle, type Step } from './lifecycle.ts';
import { MemoryThrift } from './memory-thrift.ts';
import { checkRange, namespaceWatch, reconciliation } from './steps.ts';
import { type Wired, wire } from './wiring.ts';

export interface HeddleNeeds {
  readonly log: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Runs the commands that arrive at the control socket. */
  readonly runOnHost: RunOnHost;
}

/** The parts of the daemon in the order in which they start; they stop backwards. */
function startOrder(wired: Wired, lifecycle: Lifecycle, check: () => Promise<void>): readonly Step[] {
  const { control, state, names, registration, fetcher, keeper, impostors, follower, endedProcesses } = wired;
  const { open, remote, health } = registration;
  return [
    ['address range', { start: check }],
    // The first to start and the last to stop: a successor is connected to it.
    ['control socket', control],
    ['state file', { stop: () => state.close() }],
    ['memory thrift', new MemoryThrift()],
    ['DNS', names],
    ['registry', { start: () => registration.start(() => follower.fullScan()), stop: () => open.stop() }],
    ['names of other hosts', remote && { stop: () => remote.stop() }],
    ...health.map((part): Step => ['health', part]),
    ['documents of the tag template', fetcher],
    ['bridge', keeper],
    ['impostors', impostors],
    // Before the first scan, so that no change is missed and nothing is scanned twice.
    ['namespace watch', namespaceWatch(wired)],
    ['containers', follower],
    ['ended processes', endedProcesses],
    // Only when the roster is complete: the first pass deregisters everything that desired state lacks.
    ['reconciler', reconciliation(wired, lifecycle)],
  ];
}

/** The daemon: connects its parts, starts them in order, and stops them backwards. */
export class Heddle {
  readonly #settings: LoadedSettings;
  readonly #needs: HeddleNeeds;
  readonly #lifecycle = new Lifecycle();
  readonly #handedOver = Promise.withResolvers<void>();
  #wired: Wired | undefined;
  #summary: Readonly<Record<string, unknown>> = { version: VERSION };

  constructor(settings: LoadedSettings, needs: HeddleNeeds) {
    this.#settings = settings;
    this.#needs = needs;
  }

  /**
   * Resolves when DNS answers, commands run, and the roster is complete. Docker or the registry may be away: the daemon
   * waits for them in the background.
   * @throws HeddleError for what cannot recover by itself: state that cannot be kept, a socket of another daemon
   */
  async start(): Promise<void> {
    const settings = this.#settings;
    const log = (component: string) => this.#needs.log.child({ component });
    const client = new DockerClient(engineAddress(this.#needs.env), undefined, readMetadata(settings));
    if (settings.takeOver) await this.#takeOver(client);
    const machineId = () => readMachineId(settings.procfs);
    const makeHostId = () => hostIdOfEngine(new DockerEngine(client), machineId);
    const state = await StateFile.open(settings.stateDir, makeHostId, { log: log('state') });

    const { runOnHost } = this.#needs;
    const wired = wire(settings, { client, state, log, runOnHost, handOver: () => this.#handOver() });
    const check = async () => {
      await checkRange(wired, settings, this.#needs.log);
      // Only now: a SIGHUP must not repair a bridge for a range that is refused.
      this.#wired = wired;
    };
    await this.#lifecycle.start(startOrder(wired, this.#lifecycle, check));
    this.#summary = {
      version: VERSION,
      host: state.current.hostId,
      registry: wired.registration.registry.name,
      docker: wired.parts.docker.address,
    };
  }

  /** Checks the bridge, scans every container, and compares the registry, now. */
  pass(): void {
    this.#wired?.keeper.repairSoon();
    this.#wired?.follower.fullScan();
    void this.#wired?.registration.reconciler.recheck();
  }

  /** What the log reports once the daemon is ready. */
  summary(): Readonly<Record<string, unknown>> {
    return this.#summary;
  }

  /** Resolves when a successor has taken over. */
  get handedOver(): Promise<void> {
    return this.#handedOver.promise;
  }

  /** Does what takes time while the predecessor still answers, then ends it. */
  async #takeOver(client: DockerClient): Promise<void> {
    const docker = new DockerEngine(client);
    // Docker may be away, which does not prevent it. A library that cannot be loaded is reported later.
    await Promise.allSettled([docker.info(), docker.bridgeDevice(), import('koffi')]);
    if (await takeOver(this.#settings.socket)) this.#needs.log.info('took over from another daemon');
  }

  /** Stops everything but the control socket, to which the successor is connected. */
  async #handOver(): Promise<() => void> {
    await this.#lifecycle.handOver();
    this.#needs.log.info('another daemon takes over');
    return () => this.#handedOver.resolve();
  }

  /** Idempotent, at any time. */
  stop(): Promise<void> {
    return this.#lifecycle.stop();
  }
}
