import * as v from 'valibot';
import { type PolicyTerm, parsePolicy } from '../addresses/policy.ts';
import { isUnspecified } from '../addresses/reachable.ts';
import { parseRegistryUri } from '../registry/uri.ts';
import type { SettingTable } from './setting.ts';
import { dnsLabels, goBoolean, oneOf, text } from './value-types.ts';

/** The registry, the connection to Consul, and the announced address. */
export const REGISTRY_SETTINGS = {
  registry: {
    schema: v.optional(v.pipe(text, v.transform(parseRegistryUri)), 'embedded'),
    flag: 'registry',
    value: 'uri',
    help: 'embedded, consul://host:port, consul-tls://host:port or consul-unix:///path',
    env: ['CONSUL_HTTP_ADDR'],
  },
  consulTls: {
    schema: v.optional(goBoolean, false),
    flag: 'consul-tls',
    help: 'use TLS with Consul even if its address begins with http:// or has no scheme',
    env: ['CONSUL_HTTP_SSL'],
  },
  consulAuth: {
    schema: v.optional(v.pipe(text, v.regex(/^[^:]+(:.*)?$/s, 'is not user:password'))),
    flag: 'consul-auth',
    value: 'user:password',
    help: 'credentials for a proxy in front of Consul; prefer the variable, which other users cannot see',
    env: ['CONSUL_HTTP_AUTH'],
    secret: true,
  },
  consulToken: {
    schema: v.optional(text),
    flag: 'consul-token',
    value: 'token',
    help: "Consul's ACL token",
    env: ['CONSUL_HTTP_TOKEN'],
    secret: true,
  },
  consulTokenFile: {
    schema: v.optional(text),
    flag: 'consul-token-file',
    value: 'path',
    help: "a file with Consul's ACL token, so that it is not visible in the list of processes",
    env: ['CONSUL_HTTP_TOKEN_FILE'],
  },
  consulMode: {
    schema: v.optional(oneOf(['agent', 'catalog']), 'agent'),
    flag: 'consul-mode',
    value: 'agent|catalog',
    help: "agent: register with this host's own Consul agent; catalog: with any agent, and heddle runs the checks",
  },
  consulCa: {
    schema: v.optional(text),
    flag: 'consul-ca',
    value: 'path',
    help: 'the CA certificate that verifies a consul-tls:// agent, PEM',
    env: ['CONSUL_CACERT'],
  },
  consulCaPath: {
    schema: v.optional(text),
    flag: 'consul-ca-path',
    value: 'folder',
    help: 'a folder of CA certificates, PEM; --consul-ca overrides it',
    env: ['CONSUL_CAPATH'],
  },
  consulServerName: {
    schema: v.optional(text),
    flag: 'consul-tls-server-name',
    value: 'name',
    help: "the name in Consul's certificate, if it differs from the host in its address",
    env: ['CONSUL_TLS_SERVER_NAME'],
  },
  consulVerify: {
    schema: v.optional(goBoolean, true),
    flag: 'no-consul-verify',
    help: 'do not verify the certificate of Consul: an attacker on the network can then read the token',
    env: ['CONSUL_HTTP_SSL_VERIFY'],
  },
  consulCert: {
    schema: v.optional(text),
    flag: 'consul-cert',
    value: 'path',
    help: "heddle's own certificate for mutual TLS, PEM",
    env: ['CONSUL_CLIENT_CERT', 'CONSUL_TLSCERT'],
  },
  consulKey: {
    schema: v.optional(text),
    flag: 'consul-key',
    value: 'path',
    help: "the key of heddle's own certificate, PEM",
    env: ['CONSUL_CLIENT_KEY', 'CONSUL_TLSKEY'],
  },
  consulDatacenter: {
    schema: v.optional(dnsLabels),
    flag: 'consul-datacenter',
    value: 'name',
    help: "register in another datacenter than the agent's own; needs --consul-mode catalog",
  },
  consulNamespace: {
    schema: v.optional(text),
    flag: 'consul-namespace',
    value: 'name',
    help: 'register in this namespace (Consul Enterprise)',
    env: ['CONSUL_NAMESPACE'],
  },
  consulPartition: {
    schema: v.optional(text),
    flag: 'consul-partition',
    value: 'name',
    help: 'register in this admin partition (Consul Enterprise)',
    env: ['CONSUL_PARTITION'],
  },
  address: {
    schema: v.optional(
      v.pipe(
        text,
        v.transform((terms): readonly PolicyTerm[] => parsePolicy(terms)),
      ),
    ),
    flag: 'address',
    value: 'terms',
    help:
      'which address a container is announced at, first match wins: ethwe, bridge, internal, published, ' +
      'iface:NAME, network:NAME, cidr:NET (ethwe,bridge,published with Consul, else ethwe,bridge,internal)',
  },
  ip: {
    schema: v.optional(
      v.pipe(
        text,
        v.ip('is not an IP address'),
        v.check((ip) => !isUnspecified(ip), 'means every address; set the one that other hosts reach'),
      ),
    ),
    flag: 'ip',
    value: 'address',
    help: "the host's address for published ports and host-network containers",
  },
} as const satisfies SettingTable;
