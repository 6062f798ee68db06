import type { CheckKind, CheckStatus, Service } from '../services/service.ts';

/**
 * The five verbs that every registry answers, the proof of one of them, and the health of what is registered.
 * Implementations throw HeddleError: `unreachable` is worth another try, everything else is not.
 */
export interface Registry {
  /** `embedded`, `consul://127.0.0.1:8500`: for messages and the status. */
  readonly name: string;
  /** Resolves when the registry can take writes now; throws `unreachable` with the reason when it cannot. */
  ready(signal?: AbortSignal): Promise<void>;
  /** What the registry holds of ours: owner and host-id in Meta, never by name. */
  list(signal?: AbortSignal): Promise<readonly Service[]>;
  /** Creates or replaces the entry with this id; throws `taken` where that is held for somebody else. */
  register(service: Service, signal?: AbortSignal): Promise<void>;
  /** Removes the entry; one that is not there is a success. */
  deregister(id: string, signal?: AbortSignal): Promise<void>;
  /** Of what `list` gave, the ids that are not served all the same: with Consul, an answer of 200 is no proof. */
  unsynced(held: readonly Service[], signal?: AbortSignal): Promise<readonly string[]>;
  /** Which of these ids are held for somebody else; without it, ids of different hosts cannot meet. */
  foreign?(ids: readonly string[], signal?: AbortSignal): Promise<readonly string[]>;
  /** Why a service is not served, and what to do, where the registry can tell. */
  whyUnsynced?(signal?: AbortSignal): Promise<string | undefined>;
  /** Calls back when what the registry holds of ours may have changed behind our back (a wiped or restarted Consul). */
  watch(changed: () => void): Watching;
  /** Who runs the checks of services; those that are reported (`isReported`) are heddle's everywhere. */
  readonly checkedBy: 'agent' | 'heddle';
  /** Tells the statuses of those checks of a registered service that are heddle's to tell; `register` tells them too. */
  report(service: Service, signal?: AbortSignal): Promise<void>;
  /** What it holds of the checks that are heddle's to tell: statuses by check id. */
  statuses(signal?: AbortSignal): Promise<ReadonlyMap<string, CheckStatus>>;
  /** True for the kinds that heddle runs itself although there is an agent; its results are reported. */
  heddleRuns?(kind: CheckKind['kind']): boolean;
  /** True for the kinds of checks that somebody runs for this registry, as far as that is known now. */
  runs(kind: CheckKind['kind']): boolean;
}

export interface Watching {
  stop(): void;
}

/** One instance as the resolver sees it, whoever registered it. */
export interface Instance extends InstanceHealth {
  readonly service: Service;
  readonly node: string;
  readonly nodeAddress: string;
}

export interface InstanceHealth {
  /** The worst of the instance's own and its node's checks. */
  readonly status: CheckStatus;
  /** Those of its own checks and its node's that do not pass; absent where all do. */
  readonly unwell?: readonly CheckState[];
}

/** How a node is, and the services on it. */
export interface NodeHealth {
  /** By id, those that have checks; the node's own checks count for each. */
  readonly services: ReadonlyMap<string, InstanceHealth>;
  /** The node itself: so is a service without checks. */
  readonly node: InstanceHealth;
}

/** Which checks of which node; those that pass are not always of use. */
export interface ChecksAsked {
  readonly node: string;
  readonly only: 'all' | 'unwell';
}

/** How a check is; `unknown` where nobody has said so. */
export interface CheckState {
  readonly id: string;
  readonly name: string;
  readonly status: CheckStatus | 'unknown';
}

/** A node as the resolver sees it. */
export interface NodeEntry {
  readonly address: string;
  /** What its agent was told to say of it. */
  readonly meta: Readonly<Record<string, string>>;
}

/** What a shared registry knows of every host, ours included; throws `unreachable` when it cannot be asked. */
export interface Elsewhere {
  instances(service: string, signal?: AbortSignal): Promise<readonly Instance[]>;
  node(name: string, signal?: AbortSignal): Promise<NodeEntry | undefined>;
}

/** What something is, and the index that the next question about it can wait on. */
export interface Moved<T> {
  readonly value: T;
  /** 1 or more; it goes back where data was lost. */
  readonly index: number;
}

/**
 * A shared registry that can be waited on: for what is no longer as it was at `index`, 0 for at once, or is as it was
 * after some seconds.
 */
export interface Moving {
  /** What is under a name. */
  changes(service: string, index: number, signal: AbortSignal): Promise<Moved<readonly Instance[]>>;
  /** How a node is, and the services on it that have checks. */
  health(asked: ChecksAsked, index: number, signal: AbortSignal): Promise<Moved<NodeHealth>>;
}

/** What a name resolves to: ours from desired state, other hosts' from the registry. */
export interface View {
  /**
   * Names are matched without regard to case. A Promise only where a remote registry has to be asked, or has failed:
   * this throws nothing, and who only wants to know whether the answer is there already may leave the Promise alone.
   * A registry is asked on behalf of `client`, if anybody waits for the answer: each has a share of what can be asked.
   */
  instances(service: string, client?: string): readonly Instance[] | Promise<readonly Instance[]>;
  /** The node of that name, if there is one. */
  node(name: string, client?: string): NodeEntry | undefined | Promise<NodeEntry | undefined>;
  /** All instances that have this address; for reverse lookups. */
  byAddress(ip: string): readonly Instance[] | Promise<readonly Instance[]>;
}
