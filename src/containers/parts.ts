import { AnnouncedHost, type HostAddress } from '../addresses/announced-host.ts';
import type { Announcing, PolicyTerm } from '../addresses/policy.ts';
import { DEFAULT_POLICY_CONSUL, DEFAULT_POLICY_EMBEDDED } from '../addresses/policy.ts';
import { AddressReader } from '../addresses/read.ts';
import type { Settings } from '../config/schema.ts';
import type { ContainerResolver, DnsWishes } from '../dns/args.ts';
import { bridgeDevice } from '../docker/bridge-device.ts';
import type { DockerClient } from '../docker/client.ts';
import { DockerEngine } from '../docker/engine.ts';
import type { Snapshot } from '../docker/snapshot.ts';
import { HeddleError } from '../errors.ts';
import { HostsFileEdits } from '../hosts-file/edits.ts';
import { Addressing } from '../ipam/addressing.ts';
import type { Claims } from '../ipam/claims.ts';
import { toCidr } from '../network/cidr.ts';
import type { Cidr, NetworkEngine } from '../network/engine.ts';
import { IptablesFirewall } from '../network/firewall/firewall.ts';
import { keptNetworks } from '../network/host-networks.ts';
import { KernelEngine } from '../network/kernel.ts';
import { assertNamespaceOf, type FoundNamespace, findNamespace, isGone } from '../network/namespace.ts';
import type { Roster } from '../roster/roster.ts';
import type { Logger } from '../runtime/log.ts';
import { taskHost } from '../services/naming/marathon-task.ts';
import { Attachment } from './attachment.ts';
import { Granted } from './granted.ts';
import { HostsFiles } from './hosts-files.ts';
import { finishLeaving } from './leaving.ts';
import { Observer } from './observe.ts';
import { StaleSharers } from './stale-sharers.ts';

/** What the daemon and `--local` both stand on: Docker, the kernel, and how a container is looked at. */
export interface Parts {
  readonly docker: DockerEngine;
  readonly network: NetworkEngine;
  readonly firewall: Pick<IptablesFirewall, 'inspect'>;
  readonly attachment: Attachment;
  readonly hostsFiles: HostsFiles;
  readonly observer: Observer;
  readonly granted: Pick<Granted, 'isUnproven'>;
  /** The address at which other hosts reach this one; undefined where it is unknown. */
  hostAddress(): Promise<HostAddress | undefined>;
  /** How addresses are chosen, and whether others than this host read them. */
  readonly announcing: Announcing;
  /** What its findings depend on besides the container: the addresses of host and bridge, as a text. */
  surroundings(): Promise<string>;
  readonly addressing: Addressing;
  /** Of a running container. @throws HeddleError `not-running` */
  namespaceOf(snapshot: Snapshot): Promise<FoundNamespace>;
  /** Whether the process of a container that ran is gone, as the kernel tells. */
  isGone(snapshot: Snapshot): Promise<boolean>;
  /** Name of the bridge, and of the interface in a container. */
  readonly bridge: string;
  readonly interface: string;
  /** The address of the bridge whose containers ask us for names. */
  dnsAddress(): Promise<string>;
  /** That address and the search domains; undefined where no DNS is served on the bridges. */
  resolver(wishes?: Pick<DnsWishes, 'onlyAttached'>): Promise<ContainerResolver | undefined>;
  /** The networks that containers are attached to: the bridge's own, and those they were given addresses in. */
  networks(): Promise<readonly Cidr[]>;
  /** The addresses of all bridges that containers can reach us at. */
  bridgeAddresses(): Promise<readonly string[]>;
}

export interface PartsNeeds {
  readonly client: DockerClient;
  readonly log: Logger;
  readonly claims: Claims;
  readonly roster: Roster;
  /** The address that the registry's agent advertises, if there is one. */
  advertised(): string | undefined;
}

export function assembleParts(settings: Settings, needs: PartsNeeds): Parts {
  const { client, log } = needs;
  const { bridge, interface: device, mtu, procfs } = settings;
  const docker = new DockerEngine(client);
  const firewall = new IptablesFirewall(
    { log },
    { bridge, localBridges: [settings.dockerBridge ?? 'docker0'] },
  );
  const network = new KernelEngine(
    { firewall, confirm: assertNamespaceOf, log },
    { bridge, interface: device, mtu },
  );
  const reader = new AddressReader({ network, warn: (sentence) => log.info(sentence) });
  const processOf = ({ id, pid }: Snapshot) => ({ procfs, pid, containerId: id });
  const namespaceOf = (snapshot: Snapshot) => findNamespace(processOf(snapshot));

  const { claims, roster } = needs;
  const stranded = new StaleSharers({ roster, claims, docker, namespaceOf, network });
  const optionsOf = (container: string) => claims.optionsOf(container);
  const attachment = new Attachment({
    inspect: (container) => docker.inspect(container),
    namespaceOf,
    network,
    optionsOf,
    release: (...given) => stranded.release(...given),
  });
  const edits = new HostsFileEdits();
  const hostsFiles = new HostsFiles(
    {
      claims,
      addressesIn: (nsPath) => network.addresses(nsPath),
      edit: (snapshot, change) => edits.edit(processOf(snapshot), change),
    },
    { interface: device },
  );
  const addressing = new Addressing(
    {
      claims,
      roster,
      inspect: (container) => docker.inspect(container),
      bridgeAddresses: () => network.hostAddresses(bridge),
      hostNetworks: keptNetworks(() => network.hostNetworks()),
      addressesIn: (path) => reader.read(path),
    },
    {
      range: settings.ipallocRange,
      defaultSubnet: settings.ipallocDefaultSubnet,
      bridge,
      interface: device,
      allowOverlap: settings.allowOverlap,
    },
  );
  const bridgeSubnets = async () => (await network.hostAddresses(bridge)).map(toCidr);
  const announcedHost = new AnnouncedHost({ given: settings.ip, advertised: needs.advertised });
  const hostAddress = () => announcedHost.find();
  const policy = policyOf(settings);
  const granted = new Granted({ claims, roster, network }, { interface: device });
  const observer = new Observer(
    {
      counted: (...given) => granted.counted(...given),
      namespaceOf,
      addressesIn: (...given) => reader.read(...given),
      ...(settings.attach
        ? {
            wanted: (...given) => addressing.wanted(...given),
            attach: (...given) => attachment.connect(...given),
          }
        : { wanted: async (snapshot) => addressing.expected(snapshot), attach: undefined }),
      optionsOf,
      leave: (nsPath, { id: container }) => finishLeaving({ claims, network }, { nsPath, container }),
      stranded,
      found: async (...given) => {
        await addressing.adopt(...given);
        if (settings.attach) await hostsFiles.keep(...given);
      },
      bridgeSubnets,
      hostAddress: async (snapshot) => (settings.ip ? undefined : ofTask(snapshot)) ?? (await hostAddress()),
    },
    { policy },
  );

  const dockerBridge = bridgeDevice({
    docker,
    given: settings.dockerBridge,
    warn: (sentence) => log.warn(sentence),
  });
  const dnsAddress = async () => addressOf(network, await dockerBridge());
  return {
    docker,
    network,
    firewall,
    observer,
    granted,
    hostAddress,
    announcing: { policy, isShared: settings.registry.kind !== 'embedded' },
    surroundings: async () => JSON.stringify([await hostAddress(), await bridgeSubnets()]),
    attachment,
    hostsFiles,
    dnsAddress,
    resolver: async ({ onlyAttached } = { onlyAttached: false }) => {
      if (!settings.dns) return undefined;
      const address = onlyAttached ? await attachedAddress(network, bridge) : await dnsAddress();
      return { address, search: settings.dnsSearch };
    },
    addressing,
    namespaceOf,
    isGone: (snapshot) => isGone(processOf(snapshot)),
    bridge,
    interface: device,
    networks: async () => [...(await bridgeSubnets()), ...claims.networks()],
    bridgeAddresses: async () => {
      const devices = new Set([bridge, await dockerBridge().catch(() => bridge)]);
      const addresses = await Promise.all(Array.from(devices, (name) => network.hostAddresses(name)));
      return addresses.flat().map(({ ip }) => ip);
    },
  };
}

const policyOf = ({ address, registry }: Settings): readonly PolicyTerm[] =>
  address ?? (registry.kind === 'embedded' ? DEFAULT_POLICY_EMBEDDED : DEFAULT_POLICY_CONSUL);

/** What a container reaches that has no other network. @throws HeddleError `not-found` */
async function attachedAddress(network: NetworkEngine, bridge: string): Promise<string> {
  const addresses = await network.hostAddresses(bridge).catch(() => []);
  if (addresses.length > 0) return await addressOf(network, bridge);
  throw new HeddleError(
    'not-found',
    `a container with --network none reaches only the bridge ${bridge}, which has no address: ` +
      'give it one in the network of the container with heddle expose, or leave --network none out',
  );
}

/** IPv4 first: it is what a container without IPv6 can reach. */
async function addressOf(network: NetworkEngine, device: string): Promise<string> {
  const addresses = await network.hostAddresses(device);
  const address = addresses.find(({ family }) => family === 4) ?? addresses[0];
  if (address) return address.ip;
  throw new HeddleError(
    'not-found',
    `the bridge ${device} has no address, or there is no such device; start Docker, or name the bridge with DOCKER_BRIDGE`,
  );
}

/** Marathon says to its tasks which host they are on. */
function ofTask(snapshot: Snapshot): HostAddress | undefined {
  const ip = taskHost(snapshot);
  return ip === undefined ? undefined : { ip, origin: "HOST of Marathon's task" };
}
