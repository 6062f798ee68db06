import type { ResourceRecord } from '../zone.ts';
import type { ServiceZoneSettings } from './settings.ts';

/** The SOA and NS records of the domain, and the name of its server. `serial` is the time in seconds, as in Consul. */
export function apexRecords(
  { domain, datacenter, node, nodeTtl, soa }: ServiceZoneSettings,
  serial: number,
): { readonly soa: ResourceRecord; readonly ns: ResourceRecord; readonly server: string } {
  const { minTtl, refresh, retry, expire } = soa;
  const server = `${node}.node.${datacenter}.${domain}`;
  return {
    server,
    soa: {
      name: domain,
      ttl: minTtl,
      type: 'SOA',
      data: {
        mname: `ns.${domain}`,
        rname: `hostmaster.${domain}`,
        serial,
        refresh,
        retry,
        expire,
        minimum: minTtl,
      },
    },
    ns: { name: domain, ttl: nodeTtl, type: 'NS', data: server },
  };
}
