import { givenByDocker } from '../services/check-address.ts';
import type { Claims } from './claims.ts';
import type { RosterEntry } from './entry.ts';
import type { Roster } from './roster.ts';

/** True where Docker or heddle gave this address to a container in another network namespace, and not to this one. */
export function isAnothers(claims: Claims, roster: Roster, ip: string, entry: RosterEntry): boolean {
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
  return given.length > 0 && !given.some(sharesNamespace);
}
