import { expect, vi } from 'vitest';
import { Desired } from '../../../src/registry/reconcile/desired.ts';
import { Reconciler, type ReconcilerOptions } from '../../../src/registry/reconcile/reconciler.ts';
import { silentLogger } from '../../../src/runtime/log.ts';
import { entryOf } from '../../support/roster.ts';
import { ShakyRegistry } from '../../support/shaky-registry.ts';
import { containerId } from '../../support/snapshot.ts';

const QUICK = { retry: { first: 1, longest: 4 }, stopPatience: 50 };

/** A reconciler between desired state and a registry whose faults a test decides. */
export interface Rig {
  readonly registry: ShakyRegistry;
  readonly desired: Desired;
  readonly reconciler: Reconciler;
  /** Messages logged, in order. */
  readonly logged: string[];
  /** Starts the container of service `s<n>`. */
  run(n: number, env?: Record<string, string>): void;
  kill(n: number): void;
}

const started: Reconciler[] = [];

export function rig(options: ReconcilerOptions = {}): Rig {
  const registry = new ShakyRegistry();
  const desired = new Desired({ log: silentLogger }, { hostId: 'h1', runs: () => true });
  const logged: string[] = [];
  const log = silentLogger.child({});
  const keep = (...args: unknown[]) => void logged.push(String(args.at(-1)));
  Object.assign(log, { warn: keep, info: keep, error: keep });
  const reconciler = new Reconciler({ registry, desired, log }, { ...QUICK, ...options });
  started.push(reconciler);
  return {
    registry,
    desired,
    reconciler,
    logged,
    run: (n, env = {}) =>
      desired.set(entryOf({ id: containerId(`${n}f`), env: { SERVICE_NAME: `s${n}`, ...env } })),
    kill: (n) => desired.delete(containerId(`${n}f`)),
  };
}

/** Stops every reconciler of a test; call it after each. */
export async function stopReconcilers(): Promise<void> {
  vi.useRealTimers();
  for (const reconciler of started.splice(0)) await reconciler.stop();
}

/** The generated id of service `s<n>`. */
export const id = (n: number) => `heddle:h1:${containerId(`${n}f`).slice(0, 12)}:0`;

const byId = (one: { readonly id: string }, other: { readonly id: string }) => (one.id < other.id ? -1 : 1);

/** Expects the registry to hold exactly the desired services. */
export function expectEqual({ registry, desired }: Rig): void {
  expect([...registry.services.values()].sort(byId)).toEqual([...desired.services()].sort(byId));
}
