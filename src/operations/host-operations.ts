import type { EffectiveSetting } from '../config/effective.ts';
import type { FollowerStatus } from '../containers/follow.ts';
import type { ContainerResolver, DnsWishes } from '../dns/args.ts';
import type { NameRequest } from '../dns/names/weave-names.ts';
import type { ZoneAnswer } from '../dns/zone-answer.ts';
import type { Finding } from '../doctor/finding.ts';
import type { AddressOwner } from '../ipam/addressing.ts';
import type { AddressRequest } from '../ipam/request.ts';
import type { Cidr } from '../network/engine.ts';
import type { Gone, Leftover } from '../registry/consul/leftovers.ts';
import type { Instance } from '../registry/registry.ts';
import type { RemoteStatus } from '../registry/view/remote-names.ts';
import type { RosterEntry } from '../roster/entry.ts';
import type { Io } from '../runtime/io.ts';
import type { Service } from '../services/service.ts';
import type { AttachOptions } from '../state/attach-options.ts';

/**
 * What the words do on the host they run on. The daemon serves it from its live parts; with `--local` it is put
 * together for one word in this very process. Same words, same output.
 */
export interface HostOperations {
  readonly addresses: AddressCommands;
  /** Makes sure that there is a bridge, and its rules. @returns its name */
  createBridge(): Promise<string>;
  /** What `dns-args` makes containers use; undefined where no DNS is served on the bridges. */
  resolver(wishes?: Pick<DnsWishes, 'onlyAttached'>): Promise<ContainerResolver | undefined>;
  /** The address of Docker's bridge. */
  bridgeAddress(): Promise<string>;
  /** Gives a name to a container, told by name or id, or to addresses. */
  addName(request: NameRequest): Promise<void>;
  /** @throws HeddleError `not-found` where `addName` gave none such */
  removeName(request: NameRequest): Promise<void>;
  /** The addresses of a name, or the names of an address, as a container of this host is answered. */
  lookUp(word: string): Promise<readonly string[]>;
  /** What a word means to DNS, and which zones answer; undefined without a daemon. */
  ask(word: string): Promise<readonly ZoneAnswer[] | undefined>;
  containers(): Promise<readonly ContainerReport[]>;
  /** All instances of a service, as the resolver sees them. @throws HeddleError `unreachable` */
  instances(service: string): Promise<readonly Instance[]>;
  /** True where the resolver leaves out instances whose checks warn. */
  readonly onlyPassing: boolean;
  /** What the registry has made of a service of this host, by its id; for people. */
  registration(service: string): string;
  /** Removes what another heddle, or a registrator, has left in the registry; with `dryRun` only finds it. */
  collectLeftovers(gone: Gone, options: { readonly dryRun: boolean }): Promise<readonly Leftover[]>;
  /** What is attached: the exposed bridge first, then containers. */
  attachments(): Promise<readonly AttachmentReport[]>;
  /** The names of containers that are answered, and who is asked for others; undefined without a daemon. */
  names(): Promise<NamesReport | undefined>;
  /** The settings in effect, and where each came from; secrets are hidden. */
  settings(): Promise<readonly EffectiveSetting[]>;
  /** Looks at everything heddle stands on. */
  doctor(): Promise<readonly Finding[]>;
  status(): Promise<StatusReport>;
}

/** The words that give and take addresses. Each resolves to those it gave or took. */
export interface AddressCommands {
  /** Gives a running container these addresses, attached as chosen now or before; resolves when they answer. */
  attach(
    container: string,
    requests: readonly AddressRequest[],
    options?: AttachCommandOptions,
  ): Promise<readonly Cidr[]>;
  /** Takes these addresses away again; absent ones are a success, and are not among the result. */
  detach(container: string, requests: readonly AddressRequest[]): Promise<readonly Cidr[]>;
  /** Starts a container that exists, and attaches it. Without requests: at what it had, else at any address. */
  start(
    container: string,
    requests: readonly AddressRequest[],
    options?: OverlapOptions,
  ): Promise<readonly Cidr[]>;
  /** Restarts a container, which keeps its addresses. */
  restart(container: string): Promise<readonly Cidr[]>;
  /** Gives the bridge, and thereby this host, these addresses. */
  expose(requests: readonly AddressRequest[], options?: ExposeOptions): Promise<readonly Cidr[]>;
  /** Takes them away again, and their names. @returns those that were there */
  hide(requests: readonly AddressRequest[]): Promise<readonly Cidr[]>;
  /** Finds out whether a new container could have these. @throws HeddleError `taken`, `bad-input` */
  check(requests: readonly AddressRequest[], options?: OverlapOptions): Promise<void>;
  /**
   * Takes away every attachment, the bridge and our rules, and forgets whose the addresses were.
   * @returns what it could not do, for people
   * @throws HeddleError `refused` where the bridge is Docker's own, unless by force
   */
  reset(options: { readonly force: boolean }): Promise<string | undefined>;
}

export type OverlapOptions = {
  /** Use the network although something else is in it, which will no longer be reached. */
  readonly allowOverlap?: boolean;
};

export type AttachCommandOptions = AttachOptions & OverlapOptions;

export interface ExposeOptions extends OverlapOptions {
  /** For the addresses, until they are hidden. */
  readonly name?: string | undefined;
  /** Whether what passes between their network and others is masqueraded; yes without. */
  readonly masquerade?: boolean;
}

export interface NamesReport {
  /** Without a final dot. */
  readonly domain: string;
  /** The servers that other names are asked from. */
  readonly upstreams: readonly string[];
  readonly entries: readonly {
    /** In full, without a final dot. */
    readonly name: string;
    readonly ip: string;
    /** A container's full id, `weave:expose`, or empty for an address of no container. */
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
  /** What it would be registered as, where something keeps it from being announced. */
  readonly wouldRegister: readonly Service[];
  /** What is wrong with its metadata, one sentence each. */
  readonly problems: readonly string[];
}

/** What `status` prints; also its JSON form. Parts that only a daemon has are null without one. */
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
    /** When all that it holds of this host was last compared. */
    readonly lastPass: Date | undefined;
    /** What is known of other hosts' names, where the registry is shared; `last known` while it does not answer. */
    readonly remote: (RemoteStatus & { readonly state: 'live' | 'last known' }) | null;
  } | null;
  readonly dns:
    | readonly {
        readonly address: string;
        readonly state: string;
        /** How questions over UDP are taken: `in batches` or `one by one`; null where there is no socket. */
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
