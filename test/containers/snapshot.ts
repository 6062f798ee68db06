import type { RosterEntry } from '../../src/containers/entry.ts';
import type { Snapshot } from '../../src/docker/snapshot.ts';

/** A running container of no particular kind, and what a test wants of it. */
export const snapshot = (id: string, more: Partial<Snapshot> = {}): Snapshot => ({
  id: id.padEnd(64, '0'),
  name: id,
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
  hostname: id,
  domainname: '',
  aliases: [],
  health: 'none',
  exitCode: null,
  startedAt: '2026-01-01T00:00:00Z',
  ...more,
});

export const entryOf = (snapshot: Snapshot, more: Partial<RosterEntry> = {}): RosterEntry => ({
  snapshot,
  namespace: snapshot.pid > 0 ? snapshot.pid : undefined,
  addresses: [],
  choice: { chosen: false, tried: [] },
  awaitingAddress: false,
  problem: undefined,
  ...more,
});
