/**
 * All that the rest of heddle knows about a container: one small readonly value, made once from Docker's inspect JSON.
 * Everything derived from it is a pure function of snapshots and addresses.
 */
export interface Snapshot {
  /** The full 64-digit id. */
  readonly id: string;
  /** Without Docker's leading slash. */
  readonly name: string;
  /** The image as given at creation: `nginx:1.9`, `host:5000/team/web@sha256:…`. */
  readonly image: string;
  /** Running and not paused: the container can answer. */
  readonly running: boolean;
  readonly paused: boolean;
  /** Process id in the engine's pid namespace; 0 if there is none. */
  readonly pid: number;
  /** Environment and labels in one table; a label overrides a variable of the same name. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Which names in `metadata` are labels; the others are variables. */
  readonly labelNames: ReadonlySet<string>;
  /** How many entries that heddle uses are missing from `metadata`, because they are too many or too long. */
  readonly leftOut?: number;
  /** The stop signal, and the seconds Docker waits before it kills: the container's own settings or Docker's defaults. */
  readonly stop: { readonly signal: number; readonly timeout: number };
  /** Exposed and published ports, ordered by number, then tcp before udp. */
  readonly ports: readonly ContainerPort[];
  /** `bridge`, `host`, `none`, `container:<id>`, or the name of a user network. */
  readonly networkMode: string;
  readonly networks: readonly ContainerNetwork[];
  /** True if its processes can give its interfaces any address (NET_ADMIN). */
  readonly hasNetAdmin: boolean;
  readonly hostname: string;
  readonly domainname: string;
  /** Its aliases on its networks (`--network-alias`, compose services), each once. */
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
  /** Where Docker publishes the port on the host; empty if it does not. */
  readonly published: readonly PublishedPort[];
}

export interface PublishedPort {
  /** `0.0.0.0` and `::` mean every address of the host. */
  readonly hostIp: string;
  readonly hostPort: number;
}

export interface ContainerNetwork {
  readonly name: string;
  /** Empty if the network gives none. */
  readonly ipv4: string;
  readonly ipv6: string;
}

/** Docker's HEALTHCHECK state; `none` if the container has no such check. */
export type Health = 'none' | 'starting' | 'healthy' | 'unhealthy';

/** The first twelve digits, which people and logs use. */
export const shortId = (id: string): string => id.slice(0, 12);

const SHARED = 'container:';

/** Id of the container whose network this one shares (`--net=container:web`); undefined if it shares none. */
export const networkOwner = ({ networkMode }: Pick<Snapshot, 'networkMode'>): string | undefined =>
  networkMode.startsWith(SHARED) ? networkMode.slice(SHARED.length) : undefined;
