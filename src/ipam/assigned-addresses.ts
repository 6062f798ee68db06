import { networkOwner } from '../docker/snapshot.ts';
import type { RosterEntry } from '../roster/entry.ts';
import type { Roster } from '../roster/roster.ts';
import { assignedByDocker } from '../services/checks/target-address.ts';
import type { Claims } from './claims.ts';

/**
 * Whether Docker or heddle assigned an address to a container's network namespace, or to another one. If neither did, it
 * is `unsure` where the namespace is or may have been shared: a container with NET_ADMIN may have added it and ended.
 */
export function assignedTo(
  claims: Claims,
  roster: Roster,
  ip: string,
  entry: RosterEntry,
): 'this' | 'another' | 'unsure' | undefined {
  const claimants = claims.withAddress(ip);
  const holders = new Set([...claimants, ...roster.withAddress(ip)]);
  const isAssigned = (container: string) => {
    const other = roster.get(container);
    return (
      claimants.includes(container) || (other !== undefined && assignedByDocker(other.snapshot).includes(ip))
    );
  };
  const sharesNamespace = (container: string) =>
    container === entry.snapshot.id || roster.get(container)?.namespace === entry.namespace;
  const assigned = [...holders].filter(isAssigned);
  if (assigned.some(sharesNamespace)) return 'this';
  if (assigned.length > 0) return 'another';
  const isShared =
    networkOwner(entry.snapshot) !== undefined ||
    (entry.namespace !== undefined && roster.inNamespace(entry.namespace).length > 1);
  return isShared ? 'unsure' : undefined;
}
