import { networkInterfaces } from 'node:os';
import { cachedFor } from '../runtime/cached-for.ts';

/** Listing a thousand interfaces takes milliseconds, and a full scan needs the list for every container. */
const CACHED_MS = 1_000;

/** The addresses of all interfaces of this host. */
export function interfaceAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return new Set(all.map(({ address }) => address.toLowerCase()));
}

/** The same, read at most once a second. */
export const cachedInterfaceAddresses = (list = interfaceAddresses): (() => ReadonlySet<string>) =>
  cachedFor(CACHED_MS, list);
