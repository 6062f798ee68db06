import { givenByDocker } from '../services/check-address.ts';
import type { Claims } from './claims.ts';
import type { RosterEntry } from './entry.ts';
import type { Roster } from './roster.ts';

/** Whether Docker or heddle gave an address to a container's network namespace, or to another one. */
export function givenTo(
  claims: Claims,
  roster: Roster,
  ip: string,
  entry: RosterEntry,
): 'this' | 'another' | undefined {
  const claimants = claims.withAddress(ip);
  const holders = new Set([...claimants, ...roster.withAddress(ip)]);
  const isGiven = (container: string) => {
    const other = roster.get(container);
    return (
      claimants.includes(container) || (other !== undefined && givenByDocker(other.snapshot).includes(ip))
    );
  };
  const sharesNamespace = (container: string) =>
    container === entry.snapshot.id || roster.get(container)?.namespace === entry.namespace;
  const given = [...holders].filter(isGiven);
  if (given.some(sharesNamespace)) return 'this';
  return given.length > 0 ? 'another' : undefined;
}
