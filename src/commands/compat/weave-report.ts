import type { NamesReport, StatusReport } from '../../operations/host-operations.ts';

/**
 * The fields that templates of the weave script's `report -f` read: `{{.DNS.Domain}}`, `{{json .DNS}}`,
 * `{{.IPAM.DefaultSubnet}}`. A missing part is null, as in weave. There is no field for the router: heddle has none.
 */
export function weaveReport(
  { version, dns, ipam }: Pick<StatusReport, 'version' | 'dns' | 'ipam'>,
  names: NamesReport | undefined,
) {
  return { Version: version, DNS: names ? dnsOf(names, dns) : null, IPAM: ipamOf(ipam) };
}

/** The TTL of container names is fixed. */
const TTL = 1;

function dnsOf({ domain, upstreams, entries }: NamesReport, listeners: StatusReport['dns']) {
  const answering = (listeners ?? []).find(({ state }) => state === 'listening');
  return {
    Domain: `${domain}.`,
    Upstream: upstreams,
    Address: answering?.address ?? '',
    TTL,
    Entries: entries.map(({ name, ip, owner }) => ({
      Hostname: `${name}.`,
      ContainerID: owner || 'weave:extern',
      Address: ip,
      Tombstone: 0,
    })),
  };
}

function ipamOf({ range, defaultSubnet, owners }: StatusReport['ipam']) {
  const [, length = '32'] = range.split('/');
  return {
    Range: range,
    RangeNumIPs: 2 ** (32 - Number(length)),
    DefaultSubnet: defaultSubnet,
    Entries: owners.map(({ owner, addresses }) => ({ ContainerID: owner, Addresses: addresses })),
    PendingAllocates: null,
  };
}
