import type { EffectiveSetting } from '../config/effective.ts';
import type { FollowerStatus } from '../containers/follow.ts';
import type { ContainerResolver, DnsPreferences } from '../dns/args.ts';
import type { NameRequest } from '../dns/names/weave-names.ts';
import type { ZoneAnswer } from '../dns/zone-answer.ts';
import type { Finding } from '../doctor/finding.ts';
import type { AddressOwner } from '../ipam/addressing.ts';
import type { AddressRequest } from '../ipam/request.ts';
import type { Cidr } from '../network/engine.ts';
import type { FormerOwner, Leftover } from '../registry/consul/leftovers.ts';
import type { Instance } from '../registry/registry.ts';
import type { RemoteStatus } from '../registry/view/remote-names.ts';
import type { RosterEntry } from '../roster/entry.ts';
import type { Io } from '../runtime/io.ts';
import type { Service } from '../services/service.ts';
import type { AttachOptions } from '../state/attach-options.ts';

/**
 * What commands do on the host that they run on. The daemon implements it on its live tables. With `--local`, the
 * process of one command implements it itself. Commands and their output are the same in both.
 */
export interface HostOperations {
  readonly addresses: AddressCommands;
  /** Creates the bridge and its rules where they are missing. @returns the name of the bridge */
  createBridge(): Promise<string>;
  /** The resolver that `dns-args` gives to containers; undefined where no DNS is served on the bridges. */
  resolver(options?: Pick<DnsPreferences, 'onlyAttached'>): Promise<ContainerResolver | undefined>;
  /** The address of Docker's bridge. */
  bridgeAddress(): Promise<string>;
  /** Adds a DNS name for a container, given by name or id, or for addresses. */
  addName(request: NameRequest): Promise<void>;
  /** @throws HeddleError `not-found` where `addName` has added no such name */
  removeName(request: NameRequest): Promise<void>;
  /** The addresses of a name, or the names of an address, as DNS answers a container of this host. */
  lookUp(nameOrAddress: string): Promise<readonly string[]>;
  /** What each zone of DNS answers for a name or address; undefined without a daemon. */
  ask(nameOrAddress: string): Promise<readonly ZoneAnswer[] | undefined>;
  containers(): Promise<readonly ContainerReport[]>;
  /** All instances of a service, as the resolver sees them. @throws HeddleError `unreachable` */
  instances(service: string): Promise<readonly Instance[]>;
  /** True when DNS answers omit instances with a check in state `warning`. */
  readonly onlyPassing: boolean;
  /** The state of a service of this host in the registry, by its id; readable text. */
  registration(service: string): string;
  /** Removes what another heddle, or a registrator, has left in the registry; with `dryRun` only lists it. */
  collectLeftovers(gone: FormerOwner, options: { readonly dryRun: boolean }): Promise<readonly Leftover[]>;
  /** Attached addresses: of the exposed bridge first, then of containers. */
  attachments(): Promise<readonly AttachmentReport[]>;
  /** The names of containers in DNS, and the upstream servers for other names; undefined without a daemon. */
  names(): Promise<NamesReport | undefined>;
  /** The settings in effect, and the origin of each; secrets are hidden. */
  settings(): Promise<readonly EffectiveSetting[]>;
  /** Examines everything that heddle depends on. */
  doctor(): Promise<readonly Finding[]>;
  status(): Promise<StatusReport>;
}

/** The commands that assign and release addresses. Each resolves to the addresses that it assigned or released. */
export interface AddressCommands {
  /**
   * Assigns these addresses to a running container. Resolves when they are reachable.
   * @param options those not given stay as they were chosen before
   */
  attach(
    container: string,
    requests: readonly AddressRequest[],
    options?: AttachCommandOptions,
  ): Promise<readonly Cidr[]>;
  /** Releases these addresses. Absent ones are no error, and are not in the result. */
  detach(container: string, requests: readonly AddressRequest[]): Promise<readonly Cidr[]>;
  /** Starts an existing container and attaches it. Without requests: at its previous addresses, else at any. */
  start(
    container: string,
    requests: readonly AddressRequest[],
    options?: OverlapOptions,
  ): Promise<readonly Cidr[]>;
  /** Restarts a container, which keeps its addresses. */
  restart(container: string): Promise<readonly Cidr[]>;
  /** Assigns these addresses to the bridge, and so to this host. */
  expose(requests: readonly AddressRequest[], options?: ExposeOptions): Promise<readonly Cidr[]>;
  /** Removes these addresses from the bridge, and their names. @returns those that were there */
  hide(requests: readonly AddressRequest[]): Promise<readonly Cidr[]>;
  /** Checks that a new container can have these addresses. @throws HeddleError `taken`, `bad-input` */
  check(requests: readonly AddressRequest[], options?: OverlapOptions): Promise<void>;
  /**
   * Removes every attachment, the bridge and heddle's rules, and forgets the owners of addresses.
   * @returns what it could not do, as readable text
   * @throws HeddleError `refused` where the bridge is Docker's own and `force` is false
   */
  reset(options: { readonly force: boolean }): Promise<string | undefined>;
}

export type OverlapOptions = {
  /** Use a network that overlaps another one of this host. The other one is then no longer reachable. */
  readonly allowOverlap?: boolean;
};

export type AttachCommandOptions = AttachOptions & OverlapOptions;

export interface ExposeOptions extends OverlapOptions {
  /** A DNS name for the addresses, until they are hidden. */
  readonly name?: string | undefined;
  /** Whether traffic between their network and others is masqueraded; default: true. */
  readonly masquerade?: boolean;
}

export interface NamesReport {
  /** Without a final dot. */
  readonly domain: string;
  /** The upstream servers for other names. */
  readonly upstreams: readonly string[];
  readonly entries: readonly {
    /** Fully qualified, without a final dot. */
    readonly name: string;
    readonly ip: string;
    /** A container's full id, `weave:expose`, or empty for an address without a container. */
    readonly owner: string;
  }[];
}

export interface AttachmentReport {
  /** A container's full id, or `weave:expose`. */
  readonly owner: string;
  /** `0a:58:0a:02:01:01` */
  readonly mac: string;
  /** `10.2.1.1/16` */
  readonly addresses: readonly string[];
}

export interface ContainerReport {
  readonly entry: RosterEntry;
  readonly services: readonly Service[];
  /** The services that its metadata defines, while the container is not announced. */
  readonly wouldRegister: readonly Service[];
  /** Problems of the container, mostly of its metadata; one sentence each. */
  readonly problems: readonly string[];
}

/** The output of `status --format json`. Parts that only a daemon has are null without one. */
export interface StatusReport {
  readonly version: string;
  readonly daemon: { readonly pid: number; readonly startedAt: string; readonly hostId: string } | null;
  readonly docker: { readonly address: string; readonly follower: FollowerStatus | null };
  readonly containers: { readonly running: number; readonly announced: number; readonly awaiting: number };
  readonly registry: {
    readonly name: string;
    readonly state: string;
    readonly detail: string;
    readonly services: number;
    /** When all entries of this host in the registry were last compared. */
    readonly lastPass: Date | undefined;
    /** Names of other hosts, where the registry is shared; `last known` while the registry does not answer. */
    readonly remote: (RemoteStatus & { readonly state: 'live' | 'last known' }) | null;
  } | null;
  readonly dns:
    | readonly {
        readonly address: string;
        readonly state: string;
        /** How queries over UDP are received: `in batches` or `one by one`; null where there is no socket. */
        readonly udp: string | null;
        readonly detail: string;
      }[]
    | null;
  readonly ipam: {
    readonly range: string;
    readonly defaultSubnet: string;
    readonly owners: readonly AddressOwner[];
  };
  readonly network: {
    readonly bridge: string;
    readonly addresses: readonly string[];
    readonly detail: string;
  };
}

/** Runs a command on a host. @returns the exit status */
export type RunOnHost = (argv: readonly string[], host: HostOperations, io: Io) => Promise<number>;
