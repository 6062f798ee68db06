/** The names and TTLs of the service zone, corresponding to Consul's `dns_config`. */
export interface ServiceZoneSettings {
  /** The domain of all names: `consul`. */
  readonly domain: string;
  /** A second domain with the same answers; targets and SOA stay in `domain`. */
  readonly altDomain?: string;
  readonly datacenter: string;
  /** The node that the apex names as its server. */
  readonly node: string;
  /** That node's address, once it is known: its PTR record names the node. */
  readonly nodeAddress?: string | undefined;
  /** Whether instances with warnings are left out, too. */
  readonly onlyPassing: boolean;
  /** Seconds, by service name in lower case: exact, by prefix (`web*`) or for all (`*`); 0 if none matches. */
  readonly serviceTtl: Readonly<Record<string, number>>;
  /** Seconds for node and addr names. */
  readonly nodeTtl: number;
  readonly soa: {
    /** Seconds for which a negative answer is valid (RFC 2308 §4), and the TTL of the SOA itself. */
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

/** The TTL of a service: that of its exact name, else that of the longest matching prefix. */
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
