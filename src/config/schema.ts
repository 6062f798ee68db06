import * as v from 'valibot';
import { type AddressWord, parsePolicy } from '../addresses/choose.ts';
import { isUnspecified } from '../addresses/reachable.ts';
import { parseDomain, parseRoute } from '../dns/forward/routes.ts';
import { parseListen, parseServer } from '../dns/listen.ts';
import { parseServiceTtl, parseTtl } from '../dns/ttl.ts';
import { containerName } from '../docker/container-name.ts';
import { parseNetwork } from '../ipam/pool.ts';
import { LOG_LEVELS } from '../log-level.ts';
import { parseRegistryUri } from '../registry/uri.ts';
import { parseTagTemplate } from '../services/tag-template/template.ts';
import {
  deviceName,
  dnsLabels,
  goBoolean,
  listOf,
  oneOf,
  onOrOff,
  parseHeaderName,
  parseMethod,
  parseNetworkAllowed,
  parseSearch,
  text,
  whole,
} from './forms.ts';
import { DEFAULT_CONTROL_SOCKET } from './places.ts';

/** How a setting is written on the command line, in the environment and in the file, and what it means. */
export interface SettingText {
  /** Long flag without dashes; the key in `heddle.yml` and, upper-cased behind `HEDDLE_`, the variable. */
  readonly flag: string;
  /** What stands for the value in `--help`; undefined for a switch. */
  readonly value?: string;
  readonly help: string;
  /** Inherited variables that mean the same, after HEDDLE_*. */
  readonly env?: readonly string[];
  /** May be given several times, or as a list separated by commas. */
  readonly list?: true;
  /** Never printed. */
  readonly secret?: true;
}

/** Every setting: schema with its default, and its texts. The order is that of `--help`. */
export const SETTINGS = {
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
    help: 'speak TLS to Consul, though its address says http:// or nothing',
    env: ['CONSUL_HTTP_SSL'],
  },
  consulAuth: {
    schema: v.optional(v.pipe(text, v.regex(/^[^:]+(:.*)?$/s, 'is not user:password'))),
    flag: 'consul-auth',
    value: 'user:password',
    help: 'for a proxy in front of Consul that asks for them; better by the variable, which other users cannot see',
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
    help: "a file that holds Consul's ACL token, which other users then cannot see in the list of processes",
    env: ['CONSUL_HTTP_TOKEN_FILE'],
  },
  consulMode: {
    schema: v.optional(oneOf(['agent', 'catalog']), 'agent'),
    flag: 'consul-mode',
    value: 'agent|catalog',
    help: "agent: through this host's own Consul agent; catalog: any agent will do, and heddle runs the checks",
  },
  consulCa: {
    schema: v.optional(text),
    flag: 'consul-ca',
    value: 'path',
    help: 'the authority that signed the certificate of a consul-tls:// agent, PEM',
    env: ['CONSUL_CACERT'],
  },
  consulCaPath: {
    schema: v.optional(text),
    flag: 'consul-ca-path',
    value: 'folder',
    help: 'a folder of such authorities, PEM files all; --consul-ca comes first',
    env: ['CONSUL_CAPATH'],
  },
  consulServerName: {
    schema: v.optional(text),
    flag: 'consul-tls-server-name',
    value: 'name',
    help: 'the name in the certificate of Consul, where it is not that of its address',
    env: ['CONSUL_TLS_SERVER_NAME'],
  },
  consulVerify: {
    schema: v.optional(goBoolean, true),
    flag: 'no-consul-verify',
    help: 'take whatever certificate Consul shows: anybody on the way can read the token then',
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
    help: "register in another datacenter than the agent's own; with --consul-mode catalog",
  },
  consulNamespace: {
    schema: v.optional(text),
    flag: 'consul-namespace',
    value: 'name',
    help: 'register in this namespace of a Consul Enterprise',
    env: ['CONSUL_NAMESPACE'],
  },
  consulPartition: {
    schema: v.optional(text),
    flag: 'consul-partition',
    value: 'name',
    help: 'register in this admin partition of a Consul Enterprise',
    env: ['CONSUL_PARTITION'],
  },
  address: {
    schema: v.optional(
      v.pipe(
        text,
        v.transform((words): readonly AddressWord[] => parsePolicy(words)),
      ),
    ),
    flag: 'address',
    value: 'words',
    help:
      'which address a container is announced at, first match wins: ethwe, bridge, internal, published, ' +
      'iface:NAME, network:NAME, cidr:NET (ethwe,bridge,published with Consul, else ethwe,bridge,internal)',
  },
  ip: {
    schema: v.optional(
      v.pipe(
        text,
        v.ip('is not an IP address'),
        v.check((ip) => !isUnspecified(ip), 'stands for every address; give the one that other hosts reach'),
      ),
    ),
    flag: 'ip',
    value: 'address',
    help: "the host's address for published ports and host-network containers",
  },
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
  dockerBridge: {
    schema: v.optional(deviceName),
    flag: 'docker-bridge',
    value: 'device',
    help: "the bridge whose address containers ask (Docker's own, as Docker reports it)",
    env: ['DOCKER_BRIDGE'],
  },
  bridge: {
    schema: v.optional(deviceName, 'weave'),
    flag: 'bridge',
    value: 'device',
    help: 'the bridge that containers are attached to',
  },
  interface: {
    schema: v.optional(deviceName, 'ethwe'),
    flag: 'interface',
    value: 'device',
    help: 'the name of its interface inside a container',
  },
  mtu: {
    schema: v.optional(whole(576, 65_535), 1450),
    flag: 'mtu',
    value: 'bytes',
    help: 'MTU of the bridge and of every interface on it',
    env: ['WEAVE_MTU'],
  },
  attach: {
    schema: v.optional(onOrOff, true),
    flag: 'no-attach',
    help: 'do not attach containers by their own heddle.cidr or WEAVE_CIDR; only read',
  },
  ipallocRange: {
    schema: v.optional(v.pipe(text, v.transform(parseNetwork)), '10.32.0.0/12'),
    flag: 'ipalloc-range',
    value: 'network',
    help: 'where addresses are allocated from; the same on all hosts of a network',
  },
  ipallocDefaultSubnet: {
    schema: v.optional(v.pipe(text, v.transform(parseNetwork))),
    flag: 'ipalloc-default-subnet',
    value: 'network',
    help: 'what net:default means, inside the range (the whole range)',
  },
  allowOverlap: {
    schema: v.optional(onOrOff, false),
    flag: 'allow-overlap',
    help: 'give addresses in networks that this host or the container reaches otherwise, and cut those off',
  },
  servicePrefix: {
    schema: v.optional(
      v.pipe(text, v.regex(/^[A-Za-z][A-Za-z0-9_]*$/, 'is not a variable name')),
      'SERVICE_',
    ),
    flag: 'service-prefix',
    value: 'prefix',
    help: 'what the metadata keys begin with',
  },
  explicit: {
    schema: v.optional(onOrOff, false),
    flag: 'explicit',
    help: 'register only what has a SERVICE_NAME',
  },
  composeNames: {
    schema: v.optional(onOrOff, false),
    flag: 'compose-names',
    help: 'name a container after its compose or Swarm service rather than its image',
  },
  tags: {
    schema: v.optional(v.pipe(text, v.transform(parseTagTemplate))),
    flag: 'tags',
    value: 'template',
    help: 'tags for every service, separated by commas; may use fields of the container: {{.Config.Hostname}}',
  },
  marathonTaskTags: {
    schema: v.optional(onOrOff, false),
    flag: 'marathon-task-tags',
    help: 'give Marathon tasks the tag marathon-task:<MESOS_TASK_ID>',
  },
  useIpFromLabel: {
    schema: v.optional(text),
    flag: 'use-ip-from-label',
    value: 'label',
    help: 'announce a container that has this label at the address in it; a prefix length is cut off',
  },
  deregister: {
    schema: v.optional(oneOf(['always', 'on-success']), 'always'),
    flag: 'deregister',
    value: 'always|on-success',
    help: 'on-success keeps the services of a container that ended by itself with an error',
  },
  allowScriptChecks: {
    schema: v.optional(onOrOff, false),
    flag: 'allow-script-checks',
    help: "let containers name commands that Consul's agent runs as checks",
  },
  maxServices: {
    schema: v.optional(whole(1, 4096), 256),
    flag: 'max-services',
    value: 'number',
    help: 'services that one container may have; those of further ports are left out',
  },
  checkAddressAllow: {
    schema: v.optional(listOf(parseNetworkAllowed), []),
    flag: 'check-address-allow',
    value: 'network',
    help: 'let checks go to addresses outside their container, as in 10.0.0.0/8; several by repetition or commas',
    list: true,
  },
  checkMethods: {
    schema: v.optional(listOf(parseMethod), []),
    flag: 'check-methods',
    value: 'method',
    help: 'the only HTTP methods that containers may choose for checks; several by repetition or commas (any)',
    list: true,
  },
  checkHeaders: {
    schema: v.optional(listOf(parseHeaderName), []),
    flag: 'check-headers',
    value: 'name',
    help: 'the only HTTP headers that containers may choose for checks; several by repetition or commas (any)',
    list: true,
  },
  healthcheck: {
    schema: v.optional(onOrOff, true),
    flag: 'no-healthcheck',
    help: "make no check of a container's HEALTHCHECK",
  },
  drain: {
    schema: v.optional(onOrOff, true),
    flag: 'no-drain',
    help: 'leave a container in the answers until it has ended, not until it is told to stop',
  },
  onStop: {
    schema: v.optional(oneOf(['keep', 'deregister']), 'keep'),
    flag: 'on-stop',
    value: 'keep|deregister',
    help: 'what becomes of the registrations when heddle stops: containers live on',
  },
  stateDir: {
    schema: v.optional(text, '/var/lib/heddle'),
    flag: 'state-dir',
    value: 'folder',
    help: 'where the host-id and given addresses are kept',
  },
  socket: {
    schema: v.optional(text, DEFAULT_CONTROL_SOCKET),
    flag: 'socket',
    value: 'path',
    help: "the daemon's control socket",
  },
  takeOver: {
    schema: v.optional(onOrOff, false),
    flag: 'take-over',
    help: 'take the place of a daemon that runs here: it ends when this one is ready to begin',
  },
  containerName: {
    schema: v.optional(v.pipe(text, v.transform(containerName)), 'heddle'),
    flag: 'container-name',
    value: 'name',
    help: 'the name of the heddle container on a host reached by its Docker API',
    env: ['WEAVE_CONTAINER_NAME'],
  },
  image: {
    schema: v.optional(text),
    flag: 'image',
    value: 'image',
    help: 'the image for a host where no heddle container runs (heddle:<this version>)',
  },
  procfs: {
    schema: v.optional(text, '/proc'),
    flag: 'procfs',
    value: 'folder',
    help: "where the host's /proc is seen",
    env: ['PROCFS'],
  },
  logLevel: {
    schema: v.optional(oneOf(LOG_LEVELS), 'info'),
    flag: 'log-level',
    value: 'level',
    help: LOG_LEVELS.join(', '),
  },
  logFormat: {
    schema: v.optional(oneOf(['auto', 'json', 'pretty']), 'auto'),
    flag: 'log-format',
    value: 'format',
    help: 'json, pretty, or auto: pretty on a terminal',
  },
} as const satisfies Record<string, SettingText & { readonly schema: v.GenericSchema }>;

export type SettingName = keyof typeof SETTINGS;

export type Settings = {
  readonly [Name in SettingName]: v.InferOutput<(typeof SETTINGS)[Name]['schema']>;
};

/** `dns-listen` → `HEDDLE_DNS_LISTEN`; a switch that turns something off is named for what it turns off. */
export function variablesOf(name: SettingName): readonly string[] {
  const setting: SettingText = SETTINGS[name];
  return [`HEDDLE_${keyOf(name).toUpperCase().replaceAll('-', '_')}`, ...(setting.env ?? [])];
}

/** The setting's key in `heddle.yml`. */
export const keyOf = (name: SettingName): string => SETTINGS[name].flag.replace(/^no-/, '');
