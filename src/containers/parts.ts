import { AddressReader } from '../addresses/address-reader.ts';
import { AnnouncedHost, type HostAddress } from '../addresses/announced-host.ts';
import type { AnnouncementPolicy, PolicyTerm } from '../addresses/policy.ts';
import { DEFAULT_POLICY_CONSUL, DEFAULT_POLICY_EMBEDDED } from '../addresses/policy.ts';
import type { Settings } from '../config/schema.ts';
import { bridgeDevice } from '../docker/bridge-device.ts';
import type { DockerClient } from '../docker/client.ts';
import { DockerEngine } from '../docker/engine.ts';
import type { Snapshot } from '../docker/snapshot.ts';
import { HostsFileEdits } from '../hosts-file/edits.ts';
import { Addressing } from '../ipam/addressing.ts';
import type { Claims } from '../ipam/claims.ts';
import {
  assertNamespaceOf,
  type FoundNamespace,
  findNamespace,
  isGone,
} from '../network/container-namespace.ts';
import type { Cidr, NetworkEngine } from '../network/engine.ts';
import { IptablesFirewall } from '../network/firewall/firewall.ts';
import { cachedHostNetworks } from '../network/host-networks.ts';
import { KernelEngine } from '../network/kernel-engine.ts';
import type { Roster } from '../roster/roster.ts';
import type { Logger } from '../runtime/log.ts';
import { taskHost } from '../services/naming/marathon-task.ts';
import { Attachment } from './attachment.ts';
import { BridgeAddresses } from './bridge-addresses.ts';
import { Granted } from './granted.ts';
import { HostsFiles } from './hosts-files.ts';
import { Observer } from './observe.ts';
import { StaleSharers } from './stale-sharers.ts';

/** What the daemon and `--local` share: Docker, the kernel, and how a container is inspected. */
export interface Parts {
  readonly docker: DockerEngine;
  readonly network: NetworkEngine;
  readonly firewall: Pick<IptablesFirewall, 'inspect'>;
  readonly bridges: BridgeAddresses;
  readonly addressing: Addressing;
  readonly attachment: Attachment;
  readonly hostsFiles: HostsFiles;
  readonly granted: Pick<Granted, 'isUnproven'>;
  readonly observer: Observer;
  /** How addresses are chosen, and whether other hosts read them. */
  readonly announcing: AnnouncementPolicy;
  /** Name of the bridge, and of the interface in a container. */
  readonly bridge: string;
  readonly interface: string;
  /** The address at which other hosts reach this one; undefined where it is unknown. */
  hostAddress(): Promise<HostAddress | undefined>;
  /** Of a running container. @throws HeddleError `not-running` */
  namespaceOf(snapshot: Snapshot): Promise<FoundNamespace>;
  /** Whether the kernel no longer has the process of a container that ran. */
  isGone(snapshot: Snapshot): Promise<boolean>;
  /** The networks that containers are attached to: the bridge's own, and those of assigned addresses. */
  networks(): Promise<readonly Cidr[]>;
  /** What the observer's findings depend on besides the container, as a text: addresses of host and bridge. */
  hostFingerprint(): Promise<string>;
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
  const { client, log, claims, roster } = needs;
  const { bridge, interface: device, mtu, procfs } = settings;
  const warn = (sentence: string) => log.warn(sentence);

  const docker = new DockerEngine(client);
  const dockerBridge = bridgeDevice({ docker, given: settings.dockerBridge, warn });
  const localBridges = [settings.dockerBridge ?? 'docker0'];
  const firewall = new IptablesFirewall({ log }, { bridge, localBridges });
  const network = new KernelEngine(
    { firewall, confirm: assertNamespaceOf, log },
    { bridge, interface: device, mtu },
  );
  const bridges = new BridgeAddresses({ network, dockerBridge }, settings);
  const reader = new AddressReader({ network, warn: (sentence) => log.info(sentence) });

  const processOf = ({ id, pid }: Snapshot) => ({ procfs, pid, containerId: id });
  const namespaceOf = (snapshot: Snapshot) => findNamespace(processOf(snapshot));
  const edits = new HostsFileEdits();
  const hostsFiles = new HostsFiles(
    { claims, network, edit: (snapshot, change) => edits.edit(processOf(snapshot), change) },
    { interface: device },
  );

  const hostNetworks = cachedHostNetworks(() => network.hostNetworks());
  const addressing = new Addressing(
    { claims, roster, docker, network, reader, hostNetworks },
    {
      range: settings.ipallocRange,
      defaultSubnet: settings.ipallocDefaultSubnet,
      bridge,
      interface: device,
      allowOverlap: settings.allowOverlap,
    },
  );
  const staleSharers = new StaleSharers({ roster, claims, docker, namespaceOf, network });
  const attachment = new Attachment({ docker, namespaceOf, network, claims, staleSharers });
  const granted = new Granted({ claims, roster, network }, { interface: device });

  const policy = policyOf(settings);
  const { advertised } = needs;
  const announcedHost = new AnnouncedHost({ ipOption: settings.ip, advertised, taskHost });
  const hostAddress = () => announcedHost.find();
  const observer = new Observer(
    {
      namespaceOf,
      reader,
      granted,
      claims,
      addressing,
      attachment,
      hostsFiles,
      staleSharers,
      bridges,
      announcedHost,
    },
    { policy, attaches: settings.attach },
  );
  return {
    docker,
    network,
    firewall,
    bridges,
    addressing,
    attachment,
    hostsFiles,
    granted,
    observer,
    announcing: { policy, isShared: settings.registry.kind !== 'embedded' },
    bridge,
    interface: device,
    hostAddress,
    namespaceOf,
    isGone: (snapshot) => isGone(processOf(snapshot)),
    networks: async () => [...(await bridges.subnets()), ...claims.networks()],
    hostFingerprint: async () => JSON.stringify([await hostAddress(), await bridges.subnets()]),
  };
}

const policyOf = ({ address, registry }: Settings): readonly PolicyTerm[] =>
  address ?? (registry.kind === 'embedded' ? DEFAULT_POLICY_EMBEDDED : DEFAULT_POLICY_CONSUL);
