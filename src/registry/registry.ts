import type { CheckKind, CheckStatus, Service } from '../services/service.ts';

/**
 * What every registry implements: five verbs, a check that registered services are served, and the health of services.
 * Implementations throw HeddleError: `unreachable` is worth a retry, every other code is not.
 */
export interface Registry {
  /** `embedded` or `consul://127.0.0.1:8500`, for messages and the status. */
  readonly name: string;
  /** Resolves if the registry accepts writes now; throws `unreachable` with the reason if it does not. */
  ready(signal?: AbortSignal): Promise<void>;
  /** The services in the registry that are ours by owner and host-id in Meta, never by name. */
  list(signal?: AbortSignal): Promise<readonly Service[]>;
  /** Creates or replaces the entry with this id; throws `taken` if the id belongs to another owner. */
  register(service: Service, signal?: AbortSignal): Promise<void>;
  /** Removes the entry; succeeds if there is none. */
  deregister(id: string, signal?: AbortSignal): Promise<void>;
  /** The ids among `held` (the result of `list`) that are not served: Consul's 200 is no proof that they are. */
  unsynced(held: readonly Service[], signal?: AbortSignal): Promise<readonly string[]>;
  /** Which of these ids belong to another owner. Absent where ids of different hosts cannot collide. */
  foreign?(ids: readonly string[], signal?: AbortSignal): Promise<readonly string[]>;
  /** Why services are not served and what to do, if the registry can find out. */
  whyUnsynced?(signal?: AbortSignal): Promise<string | undefined>;
  /** Calls back when our entries may have changed without our doing, as in a wiped or restarted Consul. */
  watch(changed: () => void): Watching;
  /** Who runs the checks of services, except reported ones (`isReported`), whose status heddle always reports. */
  readonly checkedBy: 'agent' | 'heddle';
  /** Reports the statuses of a registered service's reported checks; `register` reports them too. */
  report(service: Service, signal?: AbortSignal): Promise<void>;
  /** The statuses that the registry holds for reported checks, by check id. */
  statuses(signal?: AbortSignal): Promise<ReadonlyMap<string, CheckStatus>>;
  /** True for check kinds that heddle runs and reports although there is an agent. */
  heddleRuns?(kind: CheckKind['kind']): boolean;
  /** True for check kinds that the agent or heddle runs for this registry, as far as known now. */
  runs(kind: CheckKind['kind']): boolean;
}

export interface Watching {
  stop(): void;
}

/** One instance of a service, ours or another host's, as the resolver sees it. */
export interface Instance extends InstanceHealth {
  readonly service: Service;
  readonly node: string;
  readonly nodeAddress: string;
}

export interface InstanceHealth {
  /** The worst status among the checks of the instance and of its node. */
  readonly status: CheckStatus;
  /** The checks of the instance and of its node that do not pass; absent if all pass. */
  readonly unwell?: readonly CheckState[];
}

/** The health of a node and of the services on it. */
export interface NodeHealth {
  /** Services that have checks, by id; the node's checks count for each of them. */
  readonly services: ReadonlyMap<string, InstanceHealth>;
  /** The node's own health, which is also that of a service without checks. */
  readonly node: InstanceHealth;
}

/** Which checks of which node to query; passing checks are not always needed. */
export interface HealthQuery {
  readonly node: string;
  readonly only: 'all' | 'unwell';
}

/** The state of a check; `unknown` if no result has been reported. */
export interface CheckState {
  readonly id: string;
  readonly name: string;
  readonly status: CheckStatus | 'unknown';
}

/** A node as the resolver sees it. */
export interface NodeEntry {
  readonly address: string;
  /** The node metadata in its agent's configuration. */
  readonly meta: Readonly<Record<string, string>>;
}

/** Lookups in a shared registry across all hosts, ours included; throws `unreachable` if it does not answer. */
export interface RemoteLookups {
  instances(service: string, signal?: AbortSignal): Promise<readonly Instance[]>;
  node(name: string, signal?: AbortSignal): Promise<NodeEntry | undefined>;
}

/** An answer, and the index that the next blocking query passes on. */
export interface Indexed<T> {
  readonly value: T;
  /** 1 or more; it goes back when the registry loses data. */
  readonly index: number;
}

/**
 * Blocking queries of a shared registry. Each answers when the result has changed since `index`, at once for index 0,
 * and with the unchanged result after some seconds.
 */
export interface BlockingQueries {
  /** The instances under a name. */
  changes(service: string, index: number, signal: AbortSignal): Promise<Indexed<readonly Instance[]>>;
  /** The health of a node and of the services on it that have checks. */
  health(asked: HealthQuery, index: number, signal: AbortSignal): Promise<Indexed<NodeHealth>>;
}

/** Resolves names: our services from desired state, other hosts' from the registry. */
export interface View {
  /**
   * Names are matched without regard to case. Returns a Promise only if a remote registry has to be asked, or failed.
   * Never throws. A caller may ignore the Promise: its rejection is handled.
   * `client` is the DNS client that waits for the answer, if any: each client has a share of the concurrent lookups.
   */
  instances(service: string, client?: string): readonly Instance[] | Promise<readonly Instance[]>;
  /** The node with this name, if there is one. */
  node(name: string, client?: string): NodeEntry | undefined | Promise<NodeEntry | undefined>;
  /** All instances with this address, for reverse lookups. */
  byAddress(ip: string): readonly Instance[] | Promise<readonly Instance[]>;
}
