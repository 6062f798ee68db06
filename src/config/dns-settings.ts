import * as v from 'valibot';
import { parseDomain, parseRoute } from '../dns/forward/routes.ts';
import { parseListen, parseServer } from '../dns/listen.ts';
import { parseServiceTtl, parseTtl } from '../dns/ttl.ts';
import { dnsLabels, listOf, onOrOff, parseSearch, text } from './forms.ts';
import type { SettingTable } from './setting.ts';

/** Which names are answered, where, and who is asked for all others. */
export const DNS_SETTINGS = {
  domain: {
    schema: v.optional(dnsLabels, 'consul'),
    flag: 'domain',
    value: 'name',
    help: 'domain of the service names',
  },
  altDomain: {
    schema: v.optional(dnsLabels),
    flag: 'alt-domain',
    value: 'name',
    help: 'a second domain of the service names, answered alike',
  },
  weaveDomain: {
    schema: v.optional(dnsLabels, 'weave.local'),
    flag: 'weave-domain',
    value: 'name',
    help: 'domain of the names of containers, and of every name without dots',
  },
  datacenter: {
    schema: v.optional(dnsLabels),
    flag: 'datacenter',
    value: 'name',
    help: "datacenter in the names (the Consul agent's own, else dc1)",
  },
  dnsListen: {
    schema: v.optional(listOf(parseListen), []),
    flag: 'dns-listen',
    value: 'address',
    help: 'answer DNS here too, ip or ip:port; several by repetition or commas',
    list: true,
  },
  dns: {
    schema: v.optional(onOrOff, true),
    flag: 'no-dns',
    help: 'serve no DNS on the bridges',
  },
  dnsCache: {
    schema: v.optional(onOrOff, true),
    flag: 'no-dns-cache',
    help: 'encode every DNS answer anew, instead of keeping those that are still true',
  },
  dnsBatches: {
    schema: v.optional(onOrOff, true),
    flag: 'no-dns-batches',
    help: 'take DNS questions over UDP one by one, instead of many with each system call',
  },
  dnsSearch: {
    schema: v.optional(listOf(parseSearch), ['.']),
    flag: 'dns-search',
    value: 'domain',
    help: 'search domain that dns-args prints; several by repetition or commas (. for none)',
    list: true,
  },
  serviceTtl: {
    schema: v.optional(
      v.pipe(
        listOf(parseServiceTtl),
        v.transform((ttls): Readonly<Record<string, number>> => Object.fromEntries(ttls)),
      ),
      [],
    ),
    flag: 'service-ttl',
    value: 'name=ttl',
    help: 'TTL of a service (web=30s), of a prefix (web*=10s) or of all (*=5s); several by repetition or commas (0)',
    list: true,
  },
  nodeTtl: {
    schema: v.optional(v.pipe(text, v.transform(parseTtl)), '0'),
    flag: 'node-ttl',
    value: 'ttl',
    help: 'TTL of node and addr names, as in 30s',
  },
  onlyPassing: {
    schema: v.optional(onOrOff, false),
    flag: 'only-passing',
    help: 'leave out services whose checks warn, too',
  },
  forward: {
    schema: v.optional(listOf(parseRoute), []),
    flag: 'forward',
    value: 'domain=server',
    help: 'ask for the names of a domain there, as in corp.example=10.0.0.2; several by repetition or commas',
    list: true,
  },
  stopDnsRebind: {
    schema: v.optional(onOrOff, false),
    flag: 'stop-dns-rebind',
    help: 'withhold answers of other servers that lead a foreign name to a private or loopback address',
  },
  rebindOk: {
    schema: v.optional(listOf(parseDomain), []),
    flag: 'rebind-ok',
    value: 'domain',
    help: 'names below this domain may have private addresses in spite of --stop-dns-rebind, as those of --forward may; several by repetition or commas',
    list: true,
  },
  consulDns: {
    schema: v.optional(
      v.pipe(
        text,
        v.transform((server) => parseServer(server, 8600)),
      ),
    ),
    flag: 'consul-dns',
    value: 'server',
    help: "Consul's own DNS, asked for other datacenters, prepared queries, the service mesh and unknown private addresses, as in 127.0.0.1:8600",
  },
  resolvConf: {
    schema: v.optional(text, '/etc/resolv.conf'),
    flag: 'resolv-conf',
    value: 'path',
    help: 'where the resolvers for all other names stand',
  },
} as const satisfies SettingTable;
