import type { NameServiceNeeds } from '../../src/dns/name-service.ts';
import { NameTable } from '../../src/dns/names/name-table.ts';
import { silentLogger } from '../../src/runtime/log.ts';

/** The needs of a NameService: by default a complete roster, and no bridges, networks or container names. */
export const nameServiceNeeds = (
  given: Pick<NameServiceNeeds, 'view'> & Partial<NameServiceNeeds>,
): NameServiceNeeds => ({
  names: new NameTable(),
  node: () => ({ name: 'n1', address: '192.0.2.1', datacenter: 'dc1', meta: {} }),
  has: () => true,
  rosterComplete: async () => undefined,
  bridgeAddresses: async () => [],
  networks: async () => [],
  log: silentLogger,
  ...given,
});
