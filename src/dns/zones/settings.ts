/** How the service zone names itself and how long its answers hold; Consul's `dns_config` in our words. */
export interface ServiceZoneSettings {
  /** Where the names end: `consul`. */
  readonly domain: string;
  /** A second ending that is answered alike; targets and SOA stay in `domain`. */
  readonly altDomain?: string;
  readonly datacenter: string;
  /** The node that the apex names as its server. */
  readonly node: string;
  /** That node's own address, once somebody has told it: the address is called by the node. */
  readonly nodeAddress?: string | undefined;
  /** Leave out instances with warnings, too. */
  readonly onlyPassing: boolean;
  /** Seconds, by service name in lower case: exact, by prefix (`web*`) or for all (`*`); 0 for those that none fits. */
  readonly serviceTtl: Readonly<Record<string, number>>;
  /** Seconds for node and addr names. */
  readonly nodeTtl: number;
  readonly soa: {
    /** Seconds for which a negative answer holds (RFC 2308 §4), and the TTL of the SOA itself. */
    readonly minTtl: number;
    readonly refresh: number;
    readonly retry: number;
    readonly expire: number;
  };
}

/** Consul's own defaults. */
export const SERVICE_ZONE_DEFAULTS = {
  domain: 'consul',
  datacenter: 'dc1',
  onlyPassing: false,
  serviceTtl: {},
  nodeTtl: 0,
  soa: { minTtl: 0, refresh: 3600, retry: 600, expire: 86_400 },
} as const;

/** The TTL of a service: the exact name's, else that of the longest prefix. */
export function ttlOf(serviceTtl: ServiceZoneSettings['serviceTtl'], service: string): number {
  let [ttl, length] = [0, -1];
  for (const [pattern, seconds] of Object.entries(serviceTtl)) {
    if (pattern === service) return seconds;
    const prefix = pattern.endsWith('*') ? pattern.slice(0, -1) : undefined;
    if (prefix === undefined || prefix.length <= length || !service.startsWith(prefix)) continue;
    [ttl, length] = [seconds, prefix.length];
  }
  return ttl;
}
