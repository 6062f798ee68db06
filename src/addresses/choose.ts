import type { ContainerNetwork, Snapshot } from '../docker/snapshot.ts';
import { contains, formatCidr, networkOf } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';
import type { Address } from './address.ts';
import { isEveryAddress, isLoopback } from './binding.ts';
import type { AddressWord } from './policy.ts';

export { type AddressWord, DEFAULT_POLICY_CONSUL, DEFAULT_POLICY_EMBEDDED, parsePolicy } from './policy.ts';

/** The address a container is announced at and the reason for it, or why every word of the policy failed. */
export type Choice =
  | {
      readonly chosen: true;
      readonly ip: string;
      /** The word of the policy that matched: `ethwe`, `network:front`, `published`, … */
      readonly word: string;
      /** For people: `ethwe has 10.2.1.1/16`. */
      readonly reason: string;
      /** True for `published`: services carry the host port instead of the container's. */
      readonly hostPorts: boolean;
    }
  | { readonly chosen: false; readonly tried: readonly { readonly word: string; readonly why: string }[] };

/** All that the choice depends on. */
export interface AddressFacts {
  readonly snapshot: Snapshot;
  /** In the container's namespace; the host's own, where that is shared, are nobody's to announce. */
  readonly addresses: readonly Address[];
  /** Addresses of the weave bridge itself, whose subnets count. */
  readonly bridgeSubnets: readonly Cidr[];
  /** At which other hosts reach this one; undefined when nobody knows. */
  readonly hostAddress: string | undefined;
  /** The container shares the host's network namespace. */
  readonly hostNetwork: boolean;
}

/** A word's answer: an address, or why there is none. */
type Answer =
  | { readonly ip: string; readonly reason: string; readonly hostPorts?: boolean }
  | { readonly why: string };

/**
 * The first word of the policy that the container has an address for. Where one word fits several addresses, IPv4
 * comes before IPv6, and then the order in which the kernel lists them counts.
 */
export function chooseAddress(policy: readonly AddressWord[], facts: AddressFacts): Choice {
  const tried: { word: string; why: string }[] = [];
  for (const word of policy) {
    const answer = answerTo(word, facts);
    if ('ip' in answer) {
      const { ip, reason, hostPorts = false } = answer;
      return { chosen: true, ip, word: word.text, reason, hostPorts };
    }
    tried.push({ word: word.text, why: answer.why });
  }
  return { chosen: false, tried };
}

function answerTo(word: AddressWord, facts: AddressFacts): Answer {
  if (facts.snapshot.pid === 0) return { why: 'the container is not running' };
  switch (word.kind) {
    case 'ethwe':
      return onInterface(facts, ['ethwe', 'ethwe0']); // the plugins of Docker networks count their interfaces
    case 'iface':
      return onInterface(facts, [word.name]);
    case 'bridge':
      if (facts.bridgeSubnets.length === 0) return { why: 'the weave bridge has no address' };
      return inside(facts, facts.bridgeSubnets, 'the weave bridge');
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

const SHARES_HOST = "the container shares the host's network";

/** IPv4 first; sorting keeps the order of the rest. */
const byFamily = (addresses: readonly Address[]): Address[] =>
  addresses.toSorted((one, other) => one.family - other.family);

function onInterface({ addresses, hostNetwork }: AddressFacts, names: readonly string[]): Answer {
  if (hostNetwork) return { why: SHARES_HOST };
  for (const name of names) {
    const [address] = byFamily(addresses.filter((candidate) => candidate.interface === name));
    if (address) return { ip: address.ip, reason: `${name} has ${formatCidr(address)}` };
  }
  return { why: `no address on ${names.join(' or ')}` };
}

function inside({ addresses, hostNetwork }: AddressFacts, subnets: readonly Cidr[], whose: string): Answer {
  if (hostNetwork) return { why: SHARES_HOST };
  const networks = subnets.map(networkOf);
  for (const address of byFamily(addresses)) {
    const network = networks.find((candidate) => contains(candidate, address.ip));
    if (!network) continue;
    const place = address.interface || 'an interface';
    return {
      ip: address.ip,
      reason: `${place} has ${formatCidr(address)}, inside ${formatCidr(network)} of ${whose}`,
    };
  }
  return { why: `no address inside ${networks.map(formatCidr).join(' or ')}` };
}

function onNetwork({ snapshot }: AddressFacts, name: string): Answer {
  const network = snapshot.networks.find((candidate) => candidate.name === name);
  if (network) return dockerAddress(network) ?? { why: `Docker gave it no address on network ${name}` };
  const names = snapshot.networks.map((candidate) => candidate.name);
  return {
    why: `not on network ${name}, ${names.length > 0 ? `but on ${names.join(', ')}` : 'nor any other'}`,
  };
}

function dockerAddress({ name, ipv4, ipv6 }: ContainerNetwork): Answer | undefined {
  const ip = ipv4 || ipv6;
  return ip ? { ip, reason: `Docker gave it ${ip} on network ${name}` } : undefined;
}

/**
 * The network that the container was started on comes before those it was connected to later, these by name. A
 * container that shares another one's network has none in Docker's eyes, and its eth0 counts; one that shares the
 * host's has the host's address.
 */
function internal({ snapshot, addresses, hostAddress, hostNetwork }: AddressFacts): Answer {
  if (hostNetwork) return ofHost(hostAddress, SHARES_HOST);
  const home = snapshot.networkMode === 'default' ? 'bridge' : snapshot.networkMode;
  const rank = ({ name }: ContainerNetwork): string => (name === home ? '' : name);
  const networks = snapshot.networks.toSorted((one, other) => (rank(one) < rank(other) ? -1 : 1));
  for (const network of networks) {
    const answer = dockerAddress(network);
    if (answer) return answer;
  }
  const [eth0] = byFamily(addresses.filter((address) => address.interface === 'eth0'));
  if (eth0) return { ip: eth0.ip, reason: `eth0 has ${formatCidr(eth0)}` };
  return { why: 'Docker gave it no address' };
}

/**
 * The host's address, for a container that publishes something there. What is published on loopback alone reaches
 * nobody else; where all are published at certain addresses, the first of those speaks for the container. In the host's
 * network every port is the host's own already.
 */
function published({ snapshot, hostAddress, hostNetwork }: AddressFacts): Answer {
  if (hostNetwork) return ofHost(hostAddress, SHARES_HOST);
  const bindings = snapshot.ports.flatMap((port) => port.published);
  if (bindings.length === 0) return { why: 'it publishes no port on the host' };
  const reachable = bindings.filter((binding) => !isLoopback(binding));
  const [first] = reachable;
  if (!first) return { why: "it publishes ports on the host's loopback address alone" };
  const reason = 'it publishes a port on the host';
  if (reachable.some(isEveryAddress)) return ofHost(hostAddress, reason, true);
  return { ip: first.hostIp, reason: `${reason}, at ${first.hostIp}`, hostPorts: true };
}

function ofHost(hostAddress: string | undefined, reason: string, hostPorts = false): Answer {
  if (hostAddress === undefined) return { why: "the host's own address is not known: give it with --ip" };
  return { ip: hostAddress, reason: `${reason}, whose address is ${hostAddress}`, hostPorts };
}
