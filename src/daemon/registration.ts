import { Heartbeats } from '../checks/heartbeats.ts';
import { CheckRunner } from '../checks/runner.ts';
import type { Settings } from '../config/schema.ts';
import { defineOptions } from '../config/service-options.ts';
import { type OpenRegistry, openRegistry } from '../registry/open.ts';
import { Desired } from '../registry/reconcile/desired.ts';
import { Reconciler } from '../registry/reconcile/reconciler.ts';
import type { Registry } from '../registry/registry.ts';
import { HealthWatch } from '../registry/view/health-watch.ts';
import { RemoteNames } from '../registry/view/remote-names.ts';
import { RegistryView } from '../registry/view/view.ts';
import type { Logger } from '../runtime/log.ts';
import type { CheckBounds } from '../services/checks/target-address.ts';

/** The desired services, the registry that is reconciled with them, and what a name resolves to. */
export interface Registration {
  readonly open: OpenRegistry;
  readonly registry: Registry;
  /** Opens the registry. `nodeChanged` is called when this host's node there is known, and whenever it changes. */
  start(nodeChanged: () => void): Promise<void>;
  readonly desired: Desired;
  readonly reconciler: Reconciler;
  readonly view: RegistryView;
  /** The services of other hosts; undefined where the registry is this host's own. */
  readonly remote: RemoteNames | undefined;
  /** What keeps health up to date: checks, heartbeats to Consul, and the watch of Consul's own results. */
  readonly health: readonly { start(): void | Promise<void>; stop(): Promise<void> }[];
}

/** Connects them; the registry is not contacted before they are started. */
export function assembleRegistration(
  settings: Settings,
  needs: {
    readonly hostId: string;
    readonly log: (component: string) => Logger;
    readonly assignedTo?: CheckBounds['assignedTo'];
  },
): Registration {
  const { hostId, log } = needs;
  const open = openRegistry(settings, { hostId, log: log('registry') });
  const { registry, lookups, blockingQueries, concurrency } = open;
  const runs = registry.runs.bind(registry);
  const heddleRuns = registry.heddleRuns?.bind(registry);
  const keepFailed = settings.deregister === 'on-success';
  const desired = new Desired(
    { log: log('services') },
    {
      ...{ hostId, runs, ...defineOptions(settings, needs.assignedTo), keepFailed },
      ...(heddleRuns && { heddleRuns }),
    },
  );
  const { onStop } = settings;
  const reconciler = new Reconciler({ registry, desired, log: log('registry') }, { onStop, concurrency });
  const remote = lookups && new RemoteNames({ lookups, blockingQueries });
  const { checkedBy } = registry;
  const node = () => open.node().name;
  const healthWatch = blockingQueries && new HealthWatch({ desired, blockingQueries, node, checkedBy });
  const view = new RegistryView(
    {
      desired,
      rejected: (id) => reconciler.rejected(id),
      node: () => ({ ...open.node(), address: open.node().address ?? '127.0.0.1' }),
      checkedBy,
      nodeHealth: () => healthWatch?.health,
      remote,
    },
    { hostId },
  );
  const heartbeats = new Heartbeats({ desired, beat: (id) => reconciler.keepAlive(id) });
  const runner = new CheckRunner({ desired, log: log('checks'), besideAgent: checkedBy === 'agent' });
  const beside = [runner, ...(healthWatch ? [healthWatch] : [])];
  const health = checkedBy === 'agent' ? [heartbeats, ...beside] : beside;
  const start = (nodeChanged: () => void) =>
    open.start(() => {
      healthWatch?.restart();
      nodeChanged();
    });
  return { open, registry, start, desired, reconciler, view, remote, health };
}
