import type { LoadedSettings } from '../config/load.ts';
import { EndedProcesses } from '../containers/ended-processes.ts';
import { Follower } from '../containers/follow.ts';
import { Impostors } from '../containers/impostors.ts';
import { assembleParts, type Parts } from '../containers/parts.ts';
import { takeOver } from '../control/client.ts';
import { ControlServer } from '../control/server.ts';
import { NameService } from '../dns/name-service.ts';
import { WeaveNames } from '../dns/names/weave-names.ts';
import { DockerClient } from '../docker/client.ts';
import { DockerEngine } from '../docker/engine.ts';
import { engineAddress } from '../docker/engine-address.ts';
import { type Snapshot, shortId } from '../docker/snapshot.ts';
import { findConsulClock } from '../doctor/registry.ts';
import { messageOf } from '../errors.ts';
import { assignedTo } from '../ipam/assigned-addresses.ts';
import { Claims, EXPOSED } from '../ipam/claims.ts';
import { refuseUnusable } from '../ipam/overlap.ts';
import { BridgeKeeper } from '../network/bridge-keeper.ts';
import { ownNamespace } from '../network/namespace.ts';
import { DaemonHost } from '../operations/daemon-host.ts';
import type { RunOnHost } from '../operations/host-operations.ts';
import { collectLeftovers } from '../registry/open.ts';
import { Roster } from '../roster/roster.ts';
import type { Logger } from '../runtime/log.ts';
import { readMetadata } from '../services/read-metadata.ts';
import { OWNER_META } from '../services/service.ts';
import { Fetcher } from '../services/tag-template/fetcher.ts';
import { hostIdOfEngine, readMachineId } from '../state/host-id.ts';
import { StateFile } from '../state/state.ts';
import { VERSION } from '../version.ts';
import { Lifecycle } from './lifecycle.ts';
import { MemoryThrift } from './memory-thrift.ts';
import { assembleRegistration } from './registration.ts';

export interface HeddleNeeds {
  readonly log: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Runs what the control socket is asked for. */
  readonly runOnHost: RunOnHost;
}

/** The daemon: puts the parts together, starts them in the order of the story, and stops them backwards. */
export class Heddle {
  readonly #settings: LoadedSettings;
  readonly #needs: HeddleNeeds;
  readonly #lifecycle = new Lifecycle();
  readonly #handedOver = Promise.withResolvers<void>();
  #pass: () => void = () => {};
  #summary: Readonly<Record<string, unknown>> = { version: VERSION };

  constructor(settings: LoadedSettings, needs: HeddleNeeds) {
    this.#settings = settings;
    this.#needs = needs;
  }

  /**
   * Resolves when names are answered, words are taken, and what already runs is known. Docker or the registry may
   * be away: they are waited for in the background.
   * @throws HeddleError for what cannot come right by itself: state that cannot be kept, a socket of another daemon
   */
  async start(): Promise<void> {
    const settings = this.#settings;
    const lifecycle = this.#lifecycle;
    const log = (component: string) => this.#needs.log.child({ component });
    const client = new DockerClient(engineAddress(this.#needs.env), undefined, readMetadata(settings));
    if (settings.takeOver) await this.#takeOver(client);
    const machineId = () => readMachineId(settings.procfs);
    const makeHostId = () => hostIdOfEngine(new DockerEngine(client), machineId);
    const state = await StateFile.open(settings.stateDir, makeHostId, {
      log: log('state'),
    });
    const { hostId } = state.current;

    const claims = new Claims(state);
    const roster = new Roster();
    const registration = assembleRegistration(settings, {
      hostId,
      log,
      givenTo: (...asked) => assignedTo(claims, roster, ...asked),
    });
    const { open, registry, desired, reconciler, view, remote, health } = registration;
    const parts = assembleParts(settings, {
      client,
      log: log('network'),
      claims,
      roster,
      advertised: () => open.advertised(),
    });

    await this.#lookAtRange(parts, claims);
    const { bridges, docker, networks, observer, hostFingerprint } = parts;
    const containerNames = new WeaveNames(
      { roster, state, log: log('dns') },
      { domain: settings.weaveDomain },
    );
    const names = new NameService(
      {
        view,
        names: containerNames.table,
        node: () => open.node(),
        rosterComplete: () =>
          Promise.race([follower.synced.then(() => desired.settled()), follower.lostAtFirst]),
        bridgeAddresses: () => bridges.all(),
        has: (service, ip) =>
          roster.withAddress(ip).some((id) => shortId(id) === service.meta[OWNER_META.container]),
        networks,
        log: log('dns'),
      },
      settings,
    );
    const keeper = new BridgeKeeper({
      network: parts.network,
      exposed: () => claims.of(EXPOSED) ?? [],
      unmasqueraded: () => claims.unmasqueraded(),
      leaving: () => claims.releasing(EXPOSED),
      gone: (cidrs) => claims.released(EXPOSED, cidrs),
      log: log('network'),
    });
    // An engine that starts sets the policy of forwarded packets to DROP: our rules must stand by then.
    const subscribed = () => keeper.look();
    const follower = new Follower(
      { docker, observer, roster, hostFingerprint, subscribed, log: log('docker') },
      settings,
    );
    this.#pass = () => {
      keeper.look();
      follower.pass();
      void reconciler.recheck();
    };
    roster.on('set', (entry) => desired.set(entry));
    roster.on('delete', (container) => desired.delete(container));
    roster.on('delete', (container) => void claims.forget(container));
    roster.on('delete', (container) => {
      containerNames.forget(container).catch((error: unknown) => log('dns').warn(messageOf(error)));
    });

    const impostors = new Impostors({ network: parts.network, claims, roster, log: log('network') });
    const host = new DaemonHost(
      {
        containers: { parts, claims, roster, follower, impostors, keeper },
        registration,
        dns: { names, containerNames },
        consul: {
          collectLeftovers: (gone, options) => collectLeftovers(settings, gone, options),
          clock: () => findConsulClock(settings),
        },
      },
      { hostId, settings: settings.effective, bridge: settings.bridge, onlyPassing: settings.onlyPassing },
    );
    const control = new ControlServer(
      {
        run: (argv, io) => this.#needs.runOnHost(argv, host, io),
        engine: () => host.engine(),
        handOver: () => this.#handOver(),
        log: log('control'),
      },
      { path: settings.socket },
    );

    // First, and so the last to end: whoever takes over is waiting at it.
    await lifecycle.begin(control);
    lifecycle.onStop(() => state.close());
    await lifecycle.begin(new MemoryThrift());
    await lifecycle.begin(names);
    await lifecycle.begin({
      start: () => registration.start(() => follower.pass()),
      stop: () => open.stop(),
    });
    if (remote) lifecycle.onStop(() => remote.stop());
    for (const part of health) await lifecycle.begin(part);
    if (settings.tags !== undefined) {
      const { documents } = settings.tags;
      await lifecycle.begin(
        new Fetcher({ documents, completed: () => follower.pass(), log: log('services') }),
      );
    }
    await lifecycle.begin(keeper);
    await lifecycle.begin(impostors);
    const own = ownNamespace();
    // Before anything is looked at: what changes after a look is heard of then, and nothing need be looked at twice.
    const watching = await parts.network.watch((namespace) => {
      if (namespace !== own) follower.namespaceChanged(namespace);
    });
    lifecycle.onStop(() => watching.stop());
    await lifecycle.begin(follower);
    const isGone = (snapshot: Snapshot) => parts.isGone(snapshot);
    await lifecycle.begin(new EndedProcesses({ roster, follower, isGone, log: log('docker') }));
    // Not before what runs is known: what desired state lacks, the first pass removes.
    const reconciling = follower.synced.then(async () => {
      await desired.settled();
      // Until everything was known, whatever stood on our interface counted.
      const unproven = [...roster.entries()].filter((entry) => parts.granted.isUnproven(entry));
      await Promise.all(unproven.map(({ snapshot }) => follower.look(snapshot.id)));
      await claims.prune(roster);
      await containerNames.prune();
      await reconciler.start();
    });
    lifecycle.onStop(() => reconciler.stop(lifecycle.handingOver ? { keep: true } : {}));
    await Promise.race([reconciling, follower.lostAtFirst]);
    lifecycle.complete();
    this.#summary = { version: VERSION, host: hostId, registry: registry.name, docker: docker.address };
  }

  /** @throws HeddleError `taken` for a range that the host reaches otherwise */
  async #lookAtRange({ network, addressing }: Parts, claims: Claims): Promise<void> {
    if (this.#settings.allowOverlap) return;
    const host = await network.hostNetworks().catch(() => []);
    const range = this.#settings.effective.find(({ setting }) => setting === 'ipalloc-range');
    const origin = range?.origin === 'default' ? undefined : range?.origin;
    const overlapping = refuseUnusable(addressing.pool, { host, used: claims.networks(), origin });
    if (!overlapping) return;
    const effect = overlapping.sparesDefault
      ? 'only some free addresses are given'
      : 'no free address is given';
    this.#needs.log.warn(
      { problem: overlapping.problem },
      `${effect}; choose another range with --ipalloc-range`,
    );
  }

  /** Looks at the bridge and at every container, and compares the registry, now. */
  pass(): void {
    this.#pass();
  }

  /** What the log says once the daemon is ready. */
  summary(): Readonly<Record<string, unknown>> {
    return this.#summary;
  }

  /** Resolves when another daemon has taken this one's place. */
  get handedOver(): Promise<void> {
    return this.#handedOver.promise;
  }

  /** What takes time is done while the other daemon still answers; then it ends, and this one begins. */
  async #takeOver(client: DockerClient): Promise<void> {
    const docker = new DockerEngine(client);
    // Docker may be away, which is no reason not to; nor is a library that cannot be loaded, which is found out later.
    await Promise.allSettled([docker.info(), docker.bridgeDevice(), import('koffi')]);
    if (await takeOver(this.#settings.socket)) this.#needs.log.info('took the place of another daemon');
  }

  /** Stops everything but the control socket, which the one who takes over is waiting at. */
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
