import type { ContainerNetwork, Snapshot } from '../docker/snapshot.ts';
import type { Address } from '../network/address.ts';
import { contains, formatCidr, networkOf } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';
import type { HostAddress } from './announced-host.ts';
import { isEveryAddress, isLoopback } from './binding.ts';
import type { PolicyTerm } from './policy.ts';
import { isUnspecified } from './reachable.ts';

/** The address a container is announced at and the reason for it, or why every word of the policy failed. */
export type Choice =
  | {
      readonly chosen: true;
      readonly ip: string;
      /** The IPv6 address that the same word found, where `ip` is IPv4. */
      readonly ipv6?: string;
      /** The word of the policy that matched: `ethwe`, `network:front`, `published`, … */
      readonly term: string;
      /** For people: `ethwe has 10.2.1.1/16`. */
      readonly reason: string;
      /** True for `published`: services carry the host port instead of the container's. */
      readonly hostPorts: boolean;
    }
  | { readonly chosen: false; readonly tried: readonly { readonly term: string; readonly why: string }[] };

/** All that the choice depends on. What is the host's is asked for only where a word needs it: most need nothing. */
export interface AddressFacts {
  readonly snapshot: Snapshot;
  /** In the container's namespace; the host's own, where that is shared, are nobody's to announce. */
  readonly addresses: readonly Address[];
  /** Addresses of the weave bridge itself, whose subnets count. */
  bridgeSubnets(): Promise<readonly Cidr[]>;
  /** At which other hosts reach this one; undefined when nobody knows. */
  hostAddress(): Promise<HostAddress | undefined>;
  /** The container shares the host's network namespace. */
  readonly hostNetwork: boolean;
}

/** A word's answer: an address of each family that it finds, or why there is none. */
type Answer = Found | { readonly why: string };

interface Found {
  readonly ip: string;
  readonly ipv6?: string;
  readonly reason: string;
  readonly hostPorts?: boolean;
}

/**
 * The first word of the policy that the container has an address for. Where one word fits several addresses, the
 * first of each family counts, in the order in which the kernel lists them, and IPv4 comes before IPv6.
 */
export async function chooseAddress(policy: readonly PolicyTerm[], facts: AddressFacts): Promise<Choice> {
  const tried: { term: string; why: string }[] = [];
  for (const word of policy) {
    const answer = await answerTo(word, facts);
    if ('ip' in answer) return { chosen: true, hostPorts: false, ...answer, term: word.text };
    tried.push({ term: word.text, why: answer.why });
  }
  return { chosen: false, tried };
}

function answerTo(word: PolicyTerm, facts: AddressFacts): Answer | Promise<Answer> {
  if (facts.snapshot.pid === 0) return { why: 'the container is not running' };
  switch (word.kind) {
    case 'ethwe':
      return onInterface(facts, ['ethwe', 'ethwe0']); // the plugins of Docker networks count their interfaces
    case 'iface':
      return onInterface(facts, [word.name]);
    case 'bridge':
      return onBridge(facts);
    case 'cidr':
      return inside(facts, [word.network], 'the policy');
    case 'network':
      return onNetwork(facts, word.name);
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

function onInterface({ addresses, hostNetwork }: AddressFacts, names: readonly string[]): Answer {
  if (hostNetwork) return { why: SHARES_HOST };
  for (const name of names) {
    const answer = onDevice(addresses, name);
    if (answer) return answer;
  }
  return { why: `no address on ${names.join(' or ')}` };
}

function onDevice(addresses: readonly Address[], name: string): Found | undefined {
  const own = ofEachFamily(addresses.filter((address) => address.interface === name));
  return found(own.map(ipOf), `${name} has ${own.map(formatCidr).join(' and ')}`);
}

async function onBridge(facts: AddressFacts): Promise<Answer> {
  const subnets = await facts.bridgeSubnets();
  if (subnets.length === 0) return { why: 'the weave bridge has no address' };
  return inside(facts, subnets, 'the weave bridge');
}

function inside({ addresses, hostNetwork }: AddressFacts, subnets: readonly Cidr[], whose: string): Answer {
  if (hostNetwork) return { why: SHARES_HOST };
  const networks = subnets.map(networkOf);
  const own = ofEachFamily(addresses.filter(({ ip }) => networks.some((network) => contains(network, ip))));
  const around = networks.filter((network) => own.some(({ ip }) => contains(network, ip)));
  const places = own.map((address) => `${address.interface || 'an interface'} has ${formatCidr(address)}`);
  const reason = `${places.join(' and ')}, inside ${around.map(formatCidr).join(' and ')} of ${whose}`;
  const why = `no address inside ${networks.map(formatCidr).join(' or ')}`;
  return found(own.map(ipOf), reason) ?? { why };
}

/** Swarm's routing mesh: its addresses are reached by Docker itself, and by nobody else. */
export function isIngress({ name }: ContainerNetwork, { metadata }: Snapshot): boolean {
  return name === 'ingress' && metadata.has('com.docker.swarm.task.id');
}

const INGRESS = "on Swarm's ingress alone, where only Docker reaches it";

function onNetwork({ snapshot }: AddressFacts, name: string): Answer {
  const network = snapshot.networks.find((candidate) => candidate.name === name);
  if (network && isIngress(network, snapshot)) return { why: INGRESS };
  if (network) return dockerAddress(network) ?? { why: `Docker gave it no address on network ${name}` };
  const names = snapshot.networks.map((candidate) => candidate.name);
  return {
    why: `not on network ${name}, ${names.length > 0 ? `but on ${names.join(', ')}` : 'nor any other'}`,
  };
}

function dockerAddress({ name, ipv4, ipv6 }: ContainerNetwork): Found | undefined {
  const given = [ipv4, ipv6].filter((ip) => ip !== '' && !isUnspecified(ip));
  return found(given, `Docker gave it ${given.join(' and ')} on network ${name}`);
}

/** What the network that a container was started on may be called: podman calls Docker's `bridge` by its own name. */
const homeNetworks = (mode: string): readonly string[] =>
  mode === 'default' || mode === 'bridge' ? ['bridge', 'podman'] : [mode];

/**
 * The network that the container was started on comes before those it was connected to later, these by name. A
 * container that shares another one's network has none in Docker's eyes, and its eth0 counts; one that shares the
 * host's has the host's address.
 */
function internal(facts: AddressFacts): Answer | Promise<Answer> {
  const { snapshot, addresses, hostNetwork } = facts;
  if (hostNetwork) return ofHost(facts, SHARES_HOST);
  const home = homeNetworks(snapshot.networkMode);
  const rank = ({ name }: ContainerNetwork): string => (home.includes(name) ? '' : name);
  const usable = snapshot.networks.filter((network) => !isIngress(network, snapshot));
  if (usable.length === 0 && snapshot.networks.length > 0) return { why: INGRESS };
  const networks = usable.toSorted((one, other) => (rank(one) < rank(other) ? -1 : 1));
  for (const network of networks) {
    const answer = dockerAddress(network);
    if (answer) return answer;
  }
  return onDevice(addresses, 'eth0') ?? { why: 'Docker gave it no address' };
}

/**
 * The host's address, for a container that publishes something there. What is published on loopback alone reaches
 * nobody else; where all are published at certain addresses, the first of those speaks for the container. In the host's
 * network every port is the host's own already. One address only: nobody tells at which other one the host is reached,
 * nor that each port is published there as well.
 */
function published(facts: AddressFacts): Answer | Promise<Answer> {
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

async function ofHost(facts: AddressFacts, reason: string, hostPorts = false): Promise<Answer> {
  const host = await facts.hostAddress();
  if (host === undefined || isUnspecified(host.ip)) return { why: HOST_UNKNOWN };
  return { ip: host.ip, reason: `${reason}, whose address is ${host.ip} by ${host.origin}`, hostPorts };
}
