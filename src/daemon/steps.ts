import type { LoadedSettings } from '../config/load.ts';
import { refuseUnusable } from '../ipam/overlap.ts';
import { ownNamespace } from '../network/container-namespace.ts';
import type { Logger } from '../runtime/log.ts';
import type { Lifecycle, StartStop } from './lifecycle.ts';
import type { Wired } from './wiring.ts';

/** @throws HeddleError `taken` for a range that this host reaches by another way */
export async function checkRange(
  { parts, claims }: Pick<Wired, 'parts' | 'claims'>,
  settings: Pick<LoadedSettings, 'allowOverlap' | 'effective'>,
  log: Pick<Logger, 'warn'>,
): Promise<void> {
  if (settings.allowOverlap) return;
  const host = await parts.network.hostNetworks().catch(() => []);
  const range = settings.effective.find(({ setting }) => setting === 'ipalloc-range');
  const origin = range?.origin === 'default' ? undefined : range?.origin;
  const overlapping = refuseUnusable(parts.addressing.pool, { host, used: claims.networks(), origin });
  if (!overlapping) return;
  const effect = overlapping.sparesDefault
    ? 'only some free addresses are assigned'
    : 'no free address is assigned';
  log.warn({ problem: overlapping.problem }, `${effect}; choose another range with --ipalloc-range`);
}

/** Reports changes in the network namespaces of containers to the follower. */
export function namespaceWatch({ parts, follower }: Pick<Wired, 'parts' | 'follower'>): StartStop {
  let watching: Promise<{ stop(): Promise<void> }> | undefined;
  return {
    start: async () => {
      const own = ownNamespace();
      watching = parts.network.watch((namespace) => {
        if (namespace !== own) follower.namespaceChanged(namespace);
      });
      await watching;
    },
    // Also where the stop comes during the start.
    stop: async () => (await watching?.catch(() => undefined))?.stop(),
  };
}

/** Starts the reconciler when the roster is complete. While Docker is away, it does not hold up the start. */
export function reconciliation(
  { parts, claims, roster, registration, containerNames, follower }: Wired,
  lifecycle: Pick<Lifecycle, 'handingOver'>,
): StartStop {
  const { desired, reconciler } = registration;
  const whenComplete = async () => {
    await follower.synced;
    await desired.whenDefined();
    // Until the roster was complete, every address on our interface counted.
    const unproven = [...roster.entries()].filter((entry) => parts.granted.isUnproven(entry));
    await Promise.all(unproven.map(({ snapshot }) => follower.inspect(snapshot.id)));
    await claims.prune(roster);
    await containerNames.prune();
    await reconciler.start();
  };
  return {
    start: () => Promise.race([whenComplete(), follower.lostAtFirst]),
    // A successor keeps the registrations.
    stop: () => reconciler.stop(lifecycle.handingOver ? { keep: true } : {}),
  };
}
