import * as v from 'valibot';
import { parseDomain, parseRoute } from '../dns/forward/routes.ts';
import { parseListen, parseServer } from '../dns/listen.ts';
import { parseServiceTtl, parseTtl } from '../dns/ttl.ts';
import type { SettingTable } from './setting.ts';
import { dnsLabels, listOf, onOrOff, parseSearch, text } from './value-types.ts';

/** The names that heddle answers, the addresses it listens on, and the servers for all other names. */
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
    help: 'a second domain of the service names, with the same answers',
  },
  weaveDomain: {
    schema: v.optional(dnsLabels, 'weave.local'),
    flag: 'weave-domain',
    value: 'name',
    help: 'domain of the container names and of names without dots',
  },
  datacenter: {
    schema: v.optional(dnsLabels),
    flag: 'datacenter',
    value: 'name',
    help: "datacenter in the service names (the Consul agent's own, else dc1)",
  },
  dnsListen: {
    schema: v.optional(listOf(parseListen), []),
    flag: 'dns-listen',
    value: 'address',
    help: 'also answer DNS on this address, ip or ip:port; several by repetition or commas',
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
    help: 'do not cache encoded DNS answers',
  },
  dnsBatches: {
    schema: v.optional(onOrOff, true),
    flag: 'no-dns-batches',
    help: 'receive DNS queries over UDP one by one instead of many with each system call',
  },
  dnsSearch: {
    schema: v.optional(listOf(parseSearch), ['.']),
    flag: 'dns-search',
    value: 'domain',
    help: 'search domain in the output of dns-args; several by repetition or commas (. for none)',
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
    help: 'TTL of a service (web=30s), of services with a prefix (web*=10s) or of all (*=5s); several by repetition or commas (0)',
    list: true,
  },
  nodeTtl: {
    schema: v.optional(v.pipe(text, v.transform(parseTtl)), '0'),
    flag: 'node-ttl',
    value: 'ttl',
    help: 'TTL of node and addr names, like 30s',
  },
  onlyPassing: {
    schema: v.optional(onOrOff, false),
    flag: 'only-passing',
    help: 'do not answer instances with a warning check',
  },
  forward: {
    schema: v.optional(listOf(parseRoute), []),
    flag: 'forward',
    value: 'domain=server',
    help: 'forward queries for a domain to this server, like corp.example=10.0.0.2; several by repetition or commas',
    list: true,
  },
  stopDnsRebind: {
    schema: v.optional(onOrOff, false),
    flag: 'stop-dns-rebind',
    help: 'suppress answers of upstream servers with a private or loopback address for a foreign name',
  },
  rebindOk: {
    schema: v.optional(listOf(parseDomain), []),
    flag: 'rebind-ok',
    value: 'domain',
    help: 'exempt this domain from --stop-dns-rebind; domains of --forward are always exempt; several by repetition or commas',
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
    help: "Consul's DNS server, for other datacenters, prepared queries, the service mesh and unknown private addresses, like 127.0.0.1:8600",
  },
  resolvConf: {
    schema: v.optional(text, '/etc/resolv.conf'),
    flag: 'resolv-conf',
    value: 'path',
    help: 'the file with the upstream servers for all other names',
  },
} as const satisfies SettingTable;
