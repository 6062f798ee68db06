/**
 * What the rest of heddle knows of a container: one small readonly value, made once from Docker's inspect JSON at
 * the edge. Everything behind it is a pure function of snapshots and addresses.
 */
export interface Snapshot {
  /** The full 64-digit id. */
  readonly id: string;
  /** Without Docker's leading slash. */
  readonly name: string;
  /** As the container was created with: `nginx:1.9`, `host:5000/team/web@sha256:…`. */
  readonly image: string;
  /** Running and not paused: a container that can answer. */
  readonly running: boolean;
  readonly paused: boolean;
  /** Process id in the engine's pid namespace; 0 when there is none. */
  readonly pid: number;
  /** Environment and labels in one table; a label beats a variable of the same name. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Which names in `metadata` are labels; the others are variables. */
  readonly labelNames: ReadonlySet<string>;
  /** How many entries with a meaning are missing from `metadata`, because there are too many or they are too long. */
  readonly leftOut?: number;
  /** What stops it in order, and how many seconds Docker then waits before it kills: its own, or Docker's default. */
  readonly stop: { readonly signal: number; readonly timeout: number };
  /** Exposed and published ports, ordered by number, then tcp before udp. */
  readonly ports: readonly ContainerPort[];
  /** `bridge`, `host`, `none`, `container:<id>`, or the name of a user network. */
  readonly networkMode: string;
  readonly networks: readonly ContainerNetwork[];
  /** True where its processes can give its interfaces any address (NET_ADMIN). */
  readonly hasNetAdmin: boolean;
  readonly hostname: string;
  readonly domainname: string;
  /** Names that it was given on its networks (`--network-alias`, compose services), each once. */
  readonly aliases: readonly string[];
  readonly health: Health;
  /** Of the last run; null while running. */
  readonly exitCode: number | null;
  /** RFC 3339, as Docker gives it. */
  readonly startedAt: string;
}

export type Protocol = 'tcp' | 'udp' | 'sctp';

export interface ContainerPort {
  readonly port: number;
  readonly protocol: Protocol;
  /** Where Docker publishes it on the host; empty when it does not. */
  readonly published: readonly PublishedPort[];
}

export interface PublishedPort {
  /** `0.0.0.0` and `::` mean every address of the host. */
  readonly hostIp: string;
  readonly hostPort: number;
}

export interface ContainerNetwork {
  readonly name: string;
  /** Empty when the network gives none. */
  readonly ipv4: string;
  readonly ipv6: string;
}

/** Docker's HEALTHCHECK state; `none` where the image has no such check. */
export type Health = 'none' | 'starting' | 'healthy' | 'unhealthy';

/** The twelve digits that people and logs use. */
export const shortId = (id: string): string => id.slice(0, 12);

const SHARED = 'container:';

/** Id of the container whose network this one has (`--net=container:web`); undefined for one that has none such. */
export const networkOwner = ({ networkMode }: Pick<Snapshot, 'networkMode'>): string | undefined =>
  networkMode.startsWith(SHARED) ? networkMode.slice(SHARED.length) : undefined;
