import type { Snapshot } from '../../src/docker/snapshot.ts';
import type { RosterEntry } from '../../src/roster/entry.ts';

/** A full id from a few digits. */
export const containerId = (digits: string | number): string => String(digits).padEnd(64, '0');

/** A running container of no particular kind, and what a test wants of it; without a name it is called by its id. */
export const snapshot = (id: string | number, more: Partial<Snapshot> = {}): Snapshot => ({
  id: containerId(id),
  name: String(id),
  image: 'busybox',
  running: true,
  paused: false,
  pid: 1,
  metadata: new Map(),
  labelNames: new Set(),
  stop: { signal: 15, timeout: 10 },
  ports: [],
  networkMode: 'default',
  networks: [],
  hasNetAdmin: false,
  hostname: String(id),
  domainname: '',
  aliases: [],
  health: 'none',
  exitCode: null,
  startedAt: '2026-01-01T00:00:00Z',
  ...more,
});

/** A roster entry of a container that was not inspected yet, with the changes of a test. */
export const entryFor = (snapshot: Snapshot, more: Partial<RosterEntry> = {}): RosterEntry => ({
  snapshot,
  namespace: snapshot.pid > 0 ? snapshot.pid : undefined,
  addresses: [],
  choice: { chosen: false, tried: [] },
  awaitingAddress: false,
  problem: undefined,
  ...more,
});
