import type { LoadedSettings } from '../config/load.ts';
import { EndedProcesses } from '../containers/ended-processes.ts';
import { Follower } from '../containers/follow.ts';
import { Impostors } from '../containers/impostors.ts';
import { assembleParts, type Parts } from '../containers/parts.ts';
import { ControlServer } from '../control/server.ts';
import { NameService } from '../dns/name-service.ts';
import { WeaveNames } from '../dns/names/weave-names.ts';
import type { DockerClient } from '../docker/client.ts';
import { shortId } from '../docker/snapshot.ts';
import { findConsulClock } from '../doctor/registry.ts';
import { messageOf } from '../errors.ts';
import { assignedTo } from '../ipam/assigned-addresses.ts';
import { Claims, EXPOSED } from '../ipam/claims.ts';
import { LocalLedger } from '../ipam/local-ledger.ts';
import { BridgeRepair } from '../network/bridge-repair.ts';
import { DaemonHost } from '../operations/daemon-host.ts';
import type { RunOnHost } from '../operations/host-operations.ts';
import { collectLeftovers } from '../registry/open.ts';
import { Roster } from '../roster/roster.ts';
import type { Logger } from '../runtime/log.ts';
import { OWNER_META } from '../services/service.ts';
import { Fetcher } from '../services/tag-template/fetcher.ts';
import type { StateFile } from '../state/state.ts';
import { assembleRegistration, type Registration } from './registration.ts';

export interface WiringNeeds {
  readonly client: DockerClient;
  /** Opened: with the id of this host, and what the last daemon assigned. */
  readonly state: StateFile;
  /** A logger for one component. */
  readonly log: (component: string) => Logger;
  /** Runs the commands that arrive at the control socket. */
  readonly runOnHost: RunOnHost;
  /** Stops this daemon for its successor. */
  handOver(): Promise<() => void>;
}

/** All parts of the daemon, connected and not started. */
export interface Wired {
  readonly state: StateFile;
  readonly claims: Claims;
  readonly roster: Roster;
  readonly parts: Parts;
  readonly registration: Registration;
  readonly containerNames: WeaveNames;
  readonly names: NameService;
  readonly keeper: BridgeRepair;
  readonly impostors: Impostors;
  readonly follower: Follower;
  readonly endedProcesses: EndedProcesses;
  /** Undefined where the template of the tags reads no documents. */
  readonly fetcher: Fetcher | undefined;
  readonly control: ControlServer;
}

/** Connects the parts of the daemon. Awaits nothing and starts nothing. */
export function wire(settings: LoadedSettings, needs: WiringNeeds): Wired {
  const { client, state, log, runOnHost } = needs;
  const { hostId } = state.current;

  // Which containers there are, and which addresses they have.
  const claims = new Claims(state, new LocalLedger(state));
  const roster = new Roster();
  const registration = assembleRegistration(settings, {
    hostId,
    log,
    assignedTo: (...asked) => assignedTo(claims, roster, ...asked),
  });
  const { open, desired, view } = registration;
  const advertised = () => open.advertised();
  const parts = assembleParts(settings, { client, log: log('network'), claims, roster, advertised });
  const { docker, network, observer, bridges, networks, hostFingerprint } = parts;
  const keeper = new BridgeRepair({
    network,
    exposed: () => claims.of(EXPOSED) ?? [],
    unmasqueraded: () => claims.unmasqueraded(),
    releasing: () => claims.releasing(EXPOSED),
    released: (cidrs) => claims.released(EXPOSED, cidrs),
    log: log('network'),
  });
  // A Docker engine that starts sets the policy for forwarded packets to DROP: our rules must stand by then.
  const subscribed = () => keeper.repairSoon();
  const follower = new Follower(
    { docker, observer, roster, hostFingerprint, subscribed, log: log('docker') },
    settings,
  );
  const { isGone } = parts;
  const endedProcesses = new EndedProcesses({ roster, follower, isGone, log: log('docker') });
  const impostors = new Impostors({ network, claims, roster, log: log('network') });

  // What DNS answers.
  const containerNames = new WeaveNames({ roster, state, log: log('dns') }, { domain: settings.weaveDomain });
  const names = new NameService(
    {
      view,
      names: containerNames.table,
      node: () => open.node(),
      rosterComplete: () =>
        Promise.race([follower.synced.then(() => desired.whenDefined()), follower.lostAtFirst]),
      bridgeAddresses: () => bridges.all(),
      has: (service, ip) =>
        roster.withAddress(ip).some((id) => shortId(id) === service.meta[OWNER_META.container]),
      networks,
      log: log('dns'),
    },
    settings,
  );

  // What follows from the roster.
  roster.on('set', (entry) => desired.set(entry));
  roster.on('delete', (container) => desired.delete(container));
  roster.on('delete', (container) => void claims.forget(container));
  roster.on('delete', (container) => {
    containerNames.forget(container).catch((error: unknown) => log('dns').warn(messageOf(error)));
  });
  const fetcher =
    settings.tags &&
    new Fetcher({
      documents: settings.tags.documents,
      completed: () => follower.fullScan(),
      log: log('services'),
    });

  // What commands do here.
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
      run: (argv, io) => runOnHost(argv, host, io),
      engine: () => host.engine(),
      handOver: () => needs.handOver(),
      log: log('control'),
    },
    { path: settings.socket },
  );
  return {
    state,
    claims,
    roster,
    parts,
    registration,
    containerNames,
    names,
    keeper,
    impostors,
    follower,
    endedProcesses,
    fetcher,
    control,
  };
}
