import type { ContainerNetwork, Snapshot } from '../docker/snapshot.ts';
import type { Address } from '../network/address.ts';
import { contains, formatCidr, networkOf } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';
import type { HostAddress } from './announced-host.ts';
import { isEveryAddress, isLoopback } from './binding.ts';
import type { PolicyTerm } from './policy.ts';
import { isUnspecified } from './reachable.ts';

/** The address at which a container is announced and the reason for it, or why every term of the policy failed. */
export type Choice =
  | {
      readonly chosen: true;
      readonly ip: string;
      /** The IPv6 address that the same term found, if `ip` is IPv4. */
      readonly ipv6?: string;
      /** The term of the policy that matched: `ethwe`, `network:front`, `published`, … */
      readonly term: string;
      /** The explanation shown to users: `ethwe has 10.2.1.1/16`. */
      readonly reason: string;
      /** True for `published`: services carry the host port instead of the container's. */
      readonly hostPorts: boolean;
    }
  | { readonly chosen: false; readonly tried: readonly { readonly term: string; readonly why: string }[] };

/** Everything that the choice depends on. Facts about the host are read only for the few terms that need them. */
export interface AddressFacts {
  readonly snapshot: Snapshot;
  /** Addresses in the container's namespace. In a shared host namespace they are the host's and are not announced. */
  readonly addresses: readonly Address[];
  /** Addresses of the weave bridge itself; only their subnets matter. */
  bridgeSubnets(): Promise<readonly Cidr[]>;
  /** The address at which other hosts reach this one; undefined if unknown. */
  hostAddress(): Promise<HostAddress | undefined>;
  /** The container shares the host's network namespace. */
  readonly hostNetwork: boolean;
}

/** The result of a term: the address that it finds, one per family, or why there is none. */
type Result = Found | { readonly why: string };

interface Found {
  readonly ip: string;
  readonly ipv6?: string;
  readonly reason: string;
  readonly hostPorts?: boolean;
}

/**
 * Chooses the address by the first term of the policy that matches. If several addresses match a term, the first of each
 * family counts, in the order of the kernel's list, and IPv4 comes before IPv6.
 */
export async function chooseAddress(policy: readonly PolicyTerm[], facts: AddressFacts): Promise<Choice> {
  const tried: { term: string; why: string }[] = [];
  for (const term of policy) {
    const result = await evaluate(term, facts);
    if ('ip' in result) return { chosen: true, hostPorts: false, ...result, term: term.text };
    tried.push({ term: term.text, why: result.why });
  }
  return { chosen: false, tried };
}

function evaluate(term: PolicyTerm, facts: AddressFacts): Result | Promise<Result> {
  if (facts.snapshot.pid === 0) return { why: 'the container is not running' };
  switch (term.kind) {
    case 'ethwe':
      return onInterface(facts, ['ethwe', 'ethwe0']); // Docker's network plugins number their interfaces
    case 'iface':
      return onInterface(facts, [term.name]);
    case 'bridge':
      return onBridge(facts);
    case 'cidr':
      return inside(facts, [term.network], 'the policy');
    case 'network':
      return onNetwork(facts, term.name);
    case 'internal':
      return internal(facts);
    case 'published':
      return published(facts);
  }
}

const HOST_UNKNOWN = "the host's address is unknown: give --ip";
const SHARES_HOST = "the container shares the host's network";

/** The first address of each family, IPv4 first. */
const ofEachFamily = (addresses: readonly Address[]): readonly Address[] =>
  ([4, 6] as const).flatMap((family) => addresses.find((address) => address.family === family) ?? []);

/** One address, or IPv4 and IPv6; undefined where there is none. */
function found([first, second]: readonly string[], reason: string): Found | undefined {
  if (first === undefined) return undefined;
  return { ip: first, ...(second !== undefined && { ipv6: second }), reason };
}

const ipOf = ({ ip }: Address): string => ip;

function onInterface({ addresses, hostNetwork }: AddressFacts, names: readonly string[]): Result {
  if (hostNetwork) return { why: SHARES_HOST };
  for (const name of names) {
    const result = onDevice(addresses, name);
    if (result) return result;
  }
  return { why: `no address on ${names.join(' or ')}` };
}

function onDevice(addresses: readonly Address[], name: string): Found | undefined {
  const own = ofEachFamily(addresses.filter((address) => address.interface === name));
  return found(own.map(ipOf), `${name} has ${own.map(formatCidr).join(' and ')}`);
}

async function onBridge(facts: AddressFacts): Promise<Result> {
  const subnets = await facts.bridgeSubnets();
  if (subnets.length === 0) return { why: 'the weave bridge has no address' };
  return inside(facts, subnets, 'the weave bridge');
}

function inside({ addresses, hostNetwork }: AddressFacts, subnets: readonly Cidr[], source: string): Result {
  if (hostNetwork) return { why: SHARES_HOST };
  const networks = subnets.map(networkOf);
  const own = ofEachFamily(addresses.filter(({ ip }) => networks.some((network) => contains(network, ip))));
  const around = networks.filter((network) => own.some(({ ip }) => contains(network, ip)));
  const places = own.map((address) => `${address.interface || 'an interface'} has ${formatCidr(address)}`);
  const reason = `${places.join(' and ')}, inside ${around.map(formatCidr).join(' and ')} of ${source}`;
  const why = `no address inside ${networks.map(formatCidr).join(' or ')}`;
  return found(own.map(ipOf), reason) ?? { why };
}

/** Whether this is the network of Swarm's routing mesh, whose addresses only Docker itself reaches. */
export function isIngress({ name }: ContainerNetwork, { metadata }: Snapshot): boolean {
  return name === 'ingress' && metadata.has('com.docker.swarm.task.id');
}

const INGRESS = "on Swarm's ingress alone, where only Docker reaches it";

function onNetwork({ snapshot }: AddressFacts, name: string): Result {
  const network = snapshot.networks.find((candidate) => candidate.name === name);
  if (network && isIngress(network, snapshot)) return { why: INGRESS };
  if (network) return dockerAddress(network) ?? { why: `Docker gave it no address on network ${name}` };
  const names = snapshot.networks.map((candidate) => candidate.name);
  return {
    why: `not on network ${name}, ${names.length > 0 ? `but on ${names.join(', ')}` : 'nor any other'}`,
  };
}

function dockerAddress({ name, ipv4, ipv6 }: ContainerNetwork): Found | undefined {
  const assigned = [ipv4, ipv6].filter((ip) => ip !== '' && !isUnspecified(ip));
  return found(assigned, `Docker gave it ${assigned.join(' and ')} on network ${name}`);
}

/** Possible names of the network on which a container was started: podman's counterpart of `bridge` is `podman`. */
const homeNetworks = (mode: string): readonly string[] =>
  mode === 'default' || mode === 'bridge' ? ['bridge', 'podman'] : [mode];

/**
 * The network on which the container was started comes first, then the networks connected later, sorted by name. For a
 * container that shares another one's network, Docker reports no network, so its eth0 counts. A container that shares
 * the host's network has the host's address.
 */
function internal(facts: AddressFacts): Result | Promise<Result> {
  const { snapshot, addresses, hostNetwork } = facts;
  if (hostNetwork) return ofHost(facts, SHARES_HOST);
  const home = homeNetworks(snapshot.networkMode);
  const rank = ({ name }: ContainerNetwork): string => (home.includes(name) ? '' : name);
  const usable = snapshot.networks.filter((network) => !isIngress(network, snapshot));
  if (usable.length === 0 && snapshot.networks.length > 0) return { why: INGRESS };
  const networks = usable.toSorted((one, other) => (rank(one) < rank(other) ? -1 : 1));
  for (const network of networks) {
    const result = dockerAddress(network);
    if (result) return result;
  }
  return onDevice(addresses, 'eth0') ?? { why: 'Docker gave it no address' };
}

/**
 * The host's address, for a container that publishes a port on it. Ports published on loopback do not count, because
 * other hosts cannot reach them. If all others are published at specific addresses, the first of these is announced. In
 * the host's network every port is already the host's. Only one address is announced: no source names the host's
 * address of the other family, and the port is perhaps not published there.
 */
function published(facts: AddressFacts): Result | Promise<Result> {
  const { snapshot, hostNetwork } = facts;
  if (hostNetwork) return ofHost(facts, SHARES_HOST);
  const bindings = snapshot.ports.flatMap((port) => port.published);
  if (bindings.length === 0) return { why: 'it publishes no port on the host' };
  const reachable = bindings.filter((binding) => !isLoopback(binding));
  const [first] = reachable;
  if (!first) return { why: "it publishes ports on the host's loopback address alone" };
  const reason = 'it publishes a port on the host';
  if (reachable.some(isEveryAddress)) return ofHost(facts, reason, true);
  return { ip: first.hostIp, reason: `${reason}, at ${first.hostIp}`, hostPorts: true };
}

async function ofHost(facts: AddressFacts, reason: string, hostPorts = false): Promise<Result> {
  const host = await facts.hostAddress();
  if (host === undefined || isUnspecified(host.ip)) return { why: HOST_UNKNOWN };
  return { ip: host.ip, reason: `${reason}, whose address is ${host.ip} by ${host.origin}`, hostPorts };
}
