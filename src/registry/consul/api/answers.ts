import { worstStatus } from '../../../services/health.ts';
import { type CheckStatus, DEFAULT_WEIGHTS, type Service } from '../../../services/service.ts';
import type { Instance, InstanceHealth, NodeHealth } from '../../registry.ts';
import { isRecord, listOf, textOf, textsOf } from './shapes.ts';

/**
 * Parses an answer of Consul; undefined if it has another form. A malformed entry of a list is skipped: one bad
 * registration must not hide the others.
 */
export type Reader<T> = (json: unknown) => T | undefined;

/** A node of the catalog and the services on it. */
export interface HeldNode {
  readonly name: string;
  /** The node id of the agent; empty for a node without an agent. */
  readonly id: string;
  readonly address: string;
  readonly meta: Readonly<Record<string, string>>;
  readonly services: readonly Service[];
}

interface HeldCheck {
  readonly id: string;
  readonly name: string;
  readonly status: CheckStatus;
  /** Empty for a check of the node itself. */
  readonly service: string;
}

/** More addresses do not fit into a DNS answer. */
const MOST_INSTANCES = 4096;
/** For one instance of another host; a tag longer than a DNS name cannot be queried. */
const [MOST_TAGS, LONGEST_TAG] = [256, 253];

/** `/v1/catalog/service/:name`: the node of each instance. */
export const readCatalogInstances: Reader<readonly { node: string; id: string; name: string }[]> = (json) => {
  if (!Array.isArray(json)) return undefined;
  return json.filter(isRecord).map((one) => ({
    node: textOf(one.Node),
    id: textOf(one.ServiceID),
    name: textOf(one.ServiceName),
  }));
};

/** Consul rejects a path with unprintable characters, even if a service has such a name. */
export const isQueryable = (name: string): boolean => /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u.test(name);

export const readAnything: Reader<true> = () => true;

/** The `consul` package turns an empty string into undefined. */
export const readText: Reader<string> = (json) =>
  json === undefined || typeof json === 'string' ? textOf(json) : undefined;

/** The keys of an object. */
export const readKeys: Reader<readonly string[]> = (json) => (isRecord(json) ? Object.keys(json) : undefined);

/** The length of a list. */
export const readCount: Reader<number> = (json) => (Array.isArray(json) ? json.length : undefined);

/** `/v1/agent/services`: without their checks. */
export const readAgentServices: Reader<readonly Service[]> = (json) =>
  isRecord(json) ? Object.values(json).flatMap((one) => readService(one) ?? []) : undefined;

/** `/v1/agent/service/:id` */
export const readService: Reader<Service> = (json) => {
  if (!isRecord(json)) return undefined;
  const name = textOf(json.Service);
  const id = textOf(json.ID) || name;
  if (name === '') return undefined;
  return {
    id,
    name,
    tags: listOf(json.Tags),
    address: textOf(json.Address),
    port: portOf(json),
    meta: textsOf(json.Meta),
    checks: [],
    weights: weightsOf(json.Weights),
    ...dualStackAddresses(json),
    ...(json.EnableTagOverride === true && { enableTagOverride: true }),
  };
};

/** `/v1/catalog/node/:node`; null for an unknown node. */
export const readNode: Reader<HeldNode | null> = (json) => {
  if (json === null || json === undefined) return null;
  if (!isRecord(json)) return undefined;
  const node = isRecord(json.Node) ? json.Node : {};
  const services = isRecord(json.Services) ? Object.values(json.Services) : [];
  return {
    name: textOf(node.Node),
    id: textOf(node.ID),
    address: textOf(node.Address),
    meta: textsOf(node.Meta),
    services: services.flatMap((one) => readService(one) ?? []),
  };
};

/** `/v1/agent/checks`: statuses by check id. */
export const readAgentChecks: Reader<ReadonlyMap<string, CheckStatus>> = (json) => {
  if (!isRecord(json)) return undefined;
  return new Map(Object.entries(json).map(([id, one]) => [id, statusIn(isRecord(one) ? one.Status : '')]));
};

/** `/v1/health/node/:node`: statuses by check id. */
export const readStatuses: Reader<ReadonlyMap<string, CheckStatus>> = (json) =>
  Array.isArray(json) ? new Map(checksOf(json).map(({ id, status }) => [id, status])) : undefined;

/** `/v1/health/node/:node`. */
export const readNodeHealth: Reader<NodeHealth & { readonly isEmpty: boolean }> = (json) => {
  if (!Array.isArray(json)) return undefined;
  const checks = checksOf(json);
  const byService = Map.groupBy(
    // A dead agent does not affect this host's containers, since heddle runs beside them.
    checks.filter(({ id, service }) => id !== 'serfHealth' || service !== ''),
    ({ service }) => service,
  );
  const ofNode = byService.get('') ?? [];
  byService.delete('');
  const services = new Map(Array.from(byService, ([id, own]) => [id, healthOf([...own, ...ofNode])]));
  return { services, node: healthOf(ofNode), isEmpty: checks.length === 0 };
};

/** `/v1/health/service/:name` */
export const readInstances: Reader<readonly Instance[]> = (json) =>
  Array.isArray(json) ? json.slice(0, MOST_INSTANCES).flatMap((one) => readInstance(one) ?? []) : undefined;

const readInstance: Reader<Instance> = (json) => {
  if (!isRecord(json) || !isRecord(json.Node)) return undefined;
  const service = readService(json.Service);
  if (service === undefined) return undefined;
  const tags = service.tags.filter(({ length }) => length <= LONGEST_TAG).slice(0, MOST_TAGS);
  const { Node: node } = json;
  const checks = Array.isArray(json.Checks) ? checksOf(json.Checks) : [];
  return {
    service: { ...service, tags },
    node: textOf(node.Node),
    nodeAddress: textOf(node.Address),
    ...healthOf(checks),
  };
};

function checksOf(json: readonly unknown[]): readonly HeldCheck[] {
  return json.filter(isRecord).map((one) => ({
    id: textOf(one.CheckID),
    name: textOf(one.Name),
    status: statusIn(one.Status),
    service: textOf(one.ServiceID),
  }));
}

function healthOf(checks: readonly HeldCheck[]): InstanceHealth {
  const unwell = checks
    .filter(({ status }) => status !== 'passing')
    .map(({ id, name, status }) => ({ id, name, status }));
  return { status: worstStatus(checks.map(({ status }) => status)), ...(unwell.length > 0 && { unwell }) };
}

/** An unknown status counts as critical: DNS must not answer such an instance. */
const statusIn = (value: unknown): CheckStatus =>
  value === 'passing' || value === 'warning' ? value : 'critical';

const numberOf = (value: unknown, fallback: number): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : fallback;

/** Since Consul 1.22 a service may have several named ports, one of them the default, instead of an unnamed one. */
function portOf({ Port, Ports }: Readonly<Record<string, unknown>>): number {
  const port = numberOf(Port, 0);
  if (port !== 0 || !Array.isArray(Ports)) return port;
  const named = Ports.filter(isRecord);
  return numberOf((named.find((one) => one.Default === true) ?? named[0])?.Port, 0);
}

function weightsOf(json: unknown): Service['weights'] {
  if (!isRecord(json)) return DEFAULT_WEIGHTS;
  const { passing, warning } = DEFAULT_WEIGHTS;
  return { passing: numberOf(json.Passing, passing), warning: numberOf(json.Warning, warning) };
}

/** An agent always adds the tagged address that equals `Address`, even if it is the only one. */
function dualStackAddresses(json: Readonly<Record<string, unknown>>): Pick<Service, 'addresses'> {
  const tagged = isRecord(json.TaggedAddresses) ? json.TaggedAddresses : {};
  const [ipv4, ipv6] = ['lan_ipv4', 'lan_ipv6'].map((tag) => {
    const one = tagged[tag];
    return isRecord(one) ? textOf(one.Address) : '';
  });
  const address = textOf(json.Address);
  if ([ipv4, ipv6].every((one) => !one || one === address)) return {};
  return { addresses: { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) } };
}
