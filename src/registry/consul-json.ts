import { worst } from '../services/health.ts';
import { type Check, type CheckStatus, DEFAULT_WEIGHTS, type Service } from '../services/service.ts';
import type { Instance, InstanceHealth } from './registry.ts';

/** A service as an agent or the catalog gives it back: without its checks. */
export interface ServiceJson {
  readonly ID: string;
  readonly Service: string;
  readonly Tags?: readonly string[] | null;
  readonly Address?: string;
  readonly TaggedAddresses?: Readonly<Record<string, { readonly Address: string }>> | null;
  readonly Port?: number;
  readonly Meta?: Readonly<Record<string, string>> | null;
  readonly Weights?: { readonly Passing: number; readonly Warning: number };
  readonly EnableTagOverride?: boolean;
}

export interface NodeJson {
  readonly Node: string;
  readonly Address: string;
  readonly Meta?: Readonly<Record<string, string>> | null;
}

/** One line of `/v1/health/service/:name`. */
export interface HealthJson {
  readonly Node: NodeJson;
  readonly Service: ServiceJson;
  readonly Checks: readonly CheckJson[];
}

/** One line of `/v1/health/node/:node`. */
export interface CheckJson {
  readonly CheckID: string;
  readonly Name: string;
  readonly Status: CheckStatus;
  /** Empty for a check of the node itself. */
  readonly ServiceID: string;
}

export function fromJson(json: ServiceJson): Service {
  const { Weights: weights } = json;
  return {
    id: json.ID,
    name: json.Service,
    tags: json.Tags ?? [],
    address: json.Address ?? '',
    port: json.Port ?? 0,
    meta: json.Meta ?? {},
    checks: [],
    weights: weights === undefined ? DEFAULT_WEIGHTS : { passing: weights.Passing, warning: weights.Warning },
    ...ofBothFamilies(json),
    ...(json.EnableTagOverride === true && { enableTagOverride: true }),
  };
}

/** An agent adds the one that says what `Address` says, whether there is another or not. */
function ofBothFamilies({ Address, TaggedAddresses }: ServiceJson): Pick<Service, 'addresses'> {
  const [ipv4, ipv6] = ['lan_ipv4', 'lan_ipv6'].map((tag) => TaggedAddresses?.[tag]?.Address);
  if ([ipv4, ipv6].every((address) => !address || address === Address)) return {};
  return { addresses: { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) } };
}

export function instanceOf({ Node: node, Service: service, Checks: checks }: HealthJson): Instance {
  return { service: fromJson(service), node: node.Node, nodeAddress: node.Address, ...healthOf(checks) };
}

/** How each service on a node is that has a check, by its id. */
export function healthByService(checks: readonly CheckJson[]): ReadonlyMap<string, InstanceHealth> {
  const byService = Map.groupBy(checks, ({ ServiceID }) => ServiceID);
  const ofNode = byService.get('') ?? [];
  byService.delete('');
  return new Map(Array.from(byService, ([id, own]) => [id, healthOf([...own, ...ofNode])]));
}

function healthOf(checks: readonly CheckJson[]): InstanceHealth {
  const unwell = checks
    .filter(({ Status }) => Status !== 'passing')
    .map(({ CheckID: id, Name: name, Status: status }) => ({ id, name, status }));
  return { status: worst(checks.map(({ Status }) => Status)), ...(unwell.length > 0 && { unwell }) };
}

/** The body of `/v1/agent/service/register`. */
export function registrationOf(service: Service): object {
  return { ...contentOf(service), Name: service.name, Checks: service.checks.map(checkOf) };
}

/** The catalog's form of a service; its checks are entries of their own. */
export function catalogEntryOf(service: Service): object {
  return { ...contentOf(service), Service: service.name };
}

function contentOf(service: Service): object {
  const { id, tags, address, addresses, port, meta, weights } = service;
  return {
    ID: id,
    Tags: tags,
    Address: address,
    ...(addresses && { TaggedAddresses: taggedAddresses(addresses, port) }),
    Port: port,
    Meta: meta,
    Weights: { Passing: weights.passing, Warning: weights.warning },
    EnableTagOverride: service.enableTagOverride === true,
  };
}

function taggedAddresses({ ipv4, ipv6 }: NonNullable<Service['addresses']>, Port: number): object {
  return {
    ...(ipv4 !== undefined && { lan_ipv4: { Address: ipv4, Port } }),
    ...(ipv6 !== undefined && { lan_ipv6: { Address: ipv6, Port } }),
  };
}

/** So long the last status of a check that heddle runs stands without heddle. */
const REPORTED_TTL = '24h';

function checkOf(check: Check): object {
  const isRunHere = check.runBy === 'heddle';
  const common = {
    CheckID: check.id,
    Name: check.name,
    Interval: isRunHere ? undefined : check.interval,
    Timeout: isRunHere ? undefined : check.timeout,
    Status: check.status,
    DeregisterCriticalServiceAfter: check.deregisterAfter,
  };
  return { ...common, ...(isRunHere ? { TTL: REPORTED_TTL } : kindOf(check)) };
}

function kindOf(check: Check): object {
  switch (check.kind) {
    case 'http':
      return {
        HTTP: check.url,
        Method: check.method,
        Header: check.headers,
        TLSSkipVerify: check.tlsSkipVerify,
        // A container must not send the agent on to others; older agents do not know it, and run no such check.
        DisableRedirects: true,
      };
    case 'tcp':
      return { TCP: check.target };
    case 'udp':
      return { UDP: check.target };
    case 'grpc':
      return { GRPC: check.target, GRPCUseTLS: check.tls, TLSSkipVerify: check.tlsSkipVerify };
    case 'h2ping':
      return { H2PING: check.target, TLSSkipVerify: check.tlsSkipVerify };
    case 'ttl':
    case 'healthcheck':
      return { TTL: check.ttl };
    case 'script':
      return { Args: check.args };
    case 'docker':
      return { DockerContainerID: check.container, Shell: check.shell, Args: check.args };
  }
}
