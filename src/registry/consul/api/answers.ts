import { worstStatus } from '../../../services/health.ts';
import { type CheckStatus, DEFAULT_WEIGHTS, type Service } from '../../../services/service.ts';
import type { Instance, InstanceHealth, NodeHealth } from '../../registry.ts';
import { isRecord, listOf, textOf, textsOf } from './shapes.ts';

/**
 * Reads an answer of Consul's; undefined where it is of another form. An entry of a list that is not as it should be
 * is left out: what somebody put into Consul must not hide the rest.
 */
export type Reader<T> = (json: unknown) => T | undefined;

/** A node of the catalog and what stands on it. */
export interface HeldNode {
  readonly name: string;
  /** Of the agent there; empty for a node without one. */
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

/** More addresses do not fit into an answer of DNS. */
const MOST_INSTANCES = 4096;
/** Of an instance of another host; a tag that is longer than a name of DNS cannot be asked for. */
const [MOST_TAGS, LONGEST_TAG] = [256, 253];

/** `/v1/catalog/service/:name`: where each instance stands. */
export const readFound: Reader<readonly { node: string; id: string; name: string }[]> = (json) => {
  if (!Array.isArray(json)) return undefined;
  return json.filter(isRecord).map((one) => ({
    node: textOf(one.Node),
    id: textOf(one.ServiceID),
    name: textOf(one.ServiceName),
  }));
};

/** Consul refuses a path with characters that are not printable, whatever it has under that name. */
export const isAskable = (name: string): boolean => /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u.test(name);

export const readAnything: Reader<true> = () => true;

/** The package makes undefined of the empty text. */
export const readText: Reader<string> = (json) =>
  json === undefined || typeof json === 'string' ? textOf(json) : undefined;

/** The keys of an object. */
export const readKeys: Reader<readonly string[]> = (json) => (isRecord(json) ? Object.keys(json) : undefined);

/** How many entries a list has. */
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
    ...ofBothFamilies(json),
    ...(json.EnableTagOverride === true && { enableTagOverride: true }),
  };
};

/** `/v1/catalog/node/:node`; null for a node that is not there. */
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
    // Whether the agent is alive says nothing of this host's containers: heddle runs beside them.
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

/** A status that nobody knows is none to send anybody to. */
const statusIn = (value: unknown): CheckStatus =>
  value === 'passing' || value === 'warning' ? value : 'critical';

const numberOf = (value: unknown, otherwise: number): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : otherwise;

/** Since 1.22 a service may have several ports with names, one of them the default, and none without. */
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

/** An agent adds the one that says what `Address` says, whether there is another or not. */
function ofBothFamilies(json: Readonly<Record<string, unknown>>): Pick<Service, 'addresses'> {
  const tagged = isRecord(json.TaggedAddresses) ? json.TaggedAddresses : {};
  const [ipv4, ipv6] = ['lan_ipv4', 'lan_ipv6'].map((tag) => {
    const one = tagged[tag];
    return isRecord(one) ? textOf(one.Address) : '';
  });
  const address = textOf(json.Address);
  if ([ipv4, ipv6].every((one) => !one || one === address)) return {};
  return { addresses: { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) } };
}
