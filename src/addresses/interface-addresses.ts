import { networkInterfaces } from 'node:os';
import { keptFor } from '../runtime/kept-for.ts';

/** A host with a thousand interfaces takes milliseconds to list them, and a pass asks for every container. */
const CACHED_MS = 1_000;

/** The addresses of all interfaces of this host. */
export function interfaceAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return new Set(all.map(({ address }) => address.toLowerCase()));
}

/** The same, listed once a second at most. */
export const cachedInterfaceAddresses = (list = interfaceAddresses): (() => ReadonlySet<string>) =>
  keptFor(CACHED_MS, list);
