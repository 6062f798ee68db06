import type { RosterEntry } from '../roster/entry.ts';
import { define } from './define.ts';
import type { DefineOptions } from './definition.ts';
import type { Service } from './service.ts';

/**
 * The services that a container without any would have if it ran, had an address and were not ignored: `explain` shows
 * them when a name does not resolve.
 */
export function wouldRegister(
  entry: RosterEntry,
  services: readonly Service[],
  options: DefineOptions,
): readonly Service[] {
  if (services.length > 0) return [];
  const { servicePrefix: prefix = 'SERVICE_' } = options;
  const isIgnore = (key: string) => key.startsWith(prefix) && key.endsWith('IGNORE');
  const metadata = new Map([...entry.snapshot.metadata].filter(([key]) => !isIgnore(key)));
  const snapshot = { ...entry.snapshot, running: true, paused: false, metadata };
  const unknown = { chosen: true, ip: 'unknown', term: '', reason: '', hostPorts: false } as const;
  const choice = entry.choice.chosen ? entry.choice : unknown;
  const { draining: _, ...rest } = entry;
  const { definitions } = define({ ...rest, snapshot, choice, awaitingAddress: false }, options);
  return definitions.map(({ service }) => service);
}
