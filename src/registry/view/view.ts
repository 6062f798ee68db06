import { setTimeout as delay } from 'node:timers/promises';
import { checkStatus, checksReportedByHeddle, worstStatus } from '../../services/health.ts';
import { isOurs } from '../../services/naming/identity.ts';
import type { Check, CheckStatus, Service } from '../../services/service.ts';
import type { Desired } from '../reconcile/desired.ts';
import type { CheckState, Instance, NodeEntry, NodeHealth, Registry, View } from '../registry.ts';
import type { RemoteNames } from './remote-names.ts';

export interface ViewNeeds {
  readonly desired: Pick<Desired, 'byName' | 'byAddress'>;
  /** The instances in a shared registry; undefined with the embedded registry. */
  readonly remote?: Pick<RemoteNames, 'instances' | 'lastKnown' | 'node'> | undefined;
  /** True for a service that the registry rejected: other hosts do not see it, so this host must not answer it. */
  readonly rejected: (id: string) => boolean;
  /** Who runs the checks of services. */
  readonly checkedBy: Registry['checkedBy'];
  /** The health of this host's node and services in a shared registry; undefined until it is known. */
  readonly nodeHealth?: () => NodeHealth | undefined;
  /** The node that this host's services are registered on. */
  readonly node: () => NodeEntry & { readonly name: string };
}

/** How long an answer with local instances waits for those of other hosts: a healthy registry takes a few ms. */
const LOCAL_PATIENCE_MS = 100;

/**
 * Resolves names. This host's services come from desired state, at once and independent of the registry; other hosts'
 * services come from the registry.
 */
export class RegistryView implements View {
  readonly #needs: ViewNeeds;
  readonly #hostId: string;

  constructor(needs: ViewNeeds, options: { readonly hostId: string }) {
    this.#needs = needs;
    this.#hostId = options.hostId;
  }

  instances(service: string, client?: string): readonly Instance[] | Promise<readonly Instance[]> {
    const name = service.toLowerCase();
    const here = this.#needs.desired.byName(name);
    const { remote } = this.#needs;
    if (remote === undefined) return this.#local(here, []);
    try {
      const found = remote.instances(name, client);
      if (!(found instanceof Promise)) return this.#merged(here, found);
      const complete = found.then(
        (instances) => this.#merged(here, instances),
        (error: unknown) => this.#localOnly(here, error),
      );
      return ignorable(
        this.#local(here, []).length > 0 ? this.#withinPatience(complete, name, here) : complete,
      );
    } catch (error) {
      return this.#localOnly(here, error);
    }
  }

  node(name: string, client?: string): NodeEntry | undefined | Promise<NodeEntry | undefined> {
    const own = this.#needs.node();
    if (name.toLowerCase() === own.name.toLowerCase()) return own;
    return this.#needs.remote?.node(name.toLowerCase(), client);
  }

  byAddress(ip: string): readonly Instance[] {
    return this.#local(this.#needs.desired.byAddress(ip), []);
  }

  /** If the registry hangs, answers with this host's instances and the last known ones of other hosts. */
  async #withinPatience(
    complete: Promise<readonly Instance[]>,
    name: string,
    here: readonly Service[],
  ): Promise<readonly Instance[]> {
    const over = new AbortController();
    const late = delay(LOCAL_PATIENCE_MS, undefined, { signal: over.signal }).then(
      () => this.#merged(here, this.#needs.remote?.lastKnown(name) ?? []),
      () => complete,
    );
    try {
      return await Promise.race([complete, late]);
    } finally {
      over.abort();
    }
  }

  #merged(here: readonly Service[], found: readonly Instance[]): readonly Instance[] {
    const isHere = ({ service }: Instance) => isOurs(service.meta, this.#hostId);
    return [...this.#local(here, found.filter(isHere)), ...found.filter((instance) => !isHere(instance))];
  }

  /** Without local instances, fails: an empty answer would be wrong if the registry could not be asked. */
  #localOnly(here: readonly Service[], error: unknown): readonly Instance[] | Promise<never> {
    const local = this.#local(here, []);
    return local.length > 0 ? local : ignorable(Promise.reject(error));
  }

  /**
   * Instances of this host's services. Checks run by heddle count at once. For checks run by the agent, the watched
   * health of the node counts, or without it the instances seen under the name. Foreign checks on the service or its
   * node count as in Consul; so does maintenance, which is such a check.
   */
  #local(services: readonly Service[], seen: readonly Instance[]): readonly Instance[] {
    const { name: node, address: nodeAddress } = this.#needs.node();
    const health = this.#needs.nodeHealth?.();
    const isWell = health === undefined || (health.services.size === 0 && health.node.unwell === undefined);
    return services.flatMap((desired): Instance | [] => {
      if (this.#needs.rejected(desired.id)) return [];
      const service = desired.enableTagOverride === true ? withTagsOf(desired, seen) : desired;
      // A shortcut for most services, on the path of every query.
      if (service.checks.length === 0 && isWell) return { service, node, nodeAddress, status: 'passing' };
      const own = checksReportedByHeddle(service, this.#needs.checkedBy);
      const agentRuns = own.length < service.checks.length;
      const known = health
        ? (health.services.get(service.id) ?? (agentRuns ? undefined : health.node))
        : seen.find((other) => agentRuns && other.service.id === service.id);
      if (known === undefined && agentRuns) return [];
      const unwell = unwellOf(own, known?.unwell);
      const instance = { service, node, nodeAddress, status: worstOf(unwell) };
      return unwell.length === 0 ? instance : { ...instance, unwell };
    });
  }
}

/** Marks a rejection as handled, so that a caller may ignore the Promise. */
function ignorable<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** The checks that do not pass; for a check that heddle runs, its own result takes precedence over the registry's. */
function unwellOf(own: readonly Check[], seen: readonly CheckState[] = []): readonly CheckState[] {
  const ours = own.filter((check) => checkStatus(check) !== 'passing');
  const others = seen.filter(({ id }) => !own.some((check) => check.id === id));
  return [
    ...ours.map((check) => ({ id: check.id, name: check.name, status: checkStatus(check) })),
    ...others,
  ];
}

function worstOf(unwell: readonly CheckState[]): CheckStatus {
  return worstStatus(unwell.flatMap(({ status }) => (status === 'unknown' ? [] : status)));
}

/** With EnableTagOverride, the tags in the registry replace those of the service once it is registered. */
function withTagsOf(service: Service, seen: readonly Instance[]): Service {
  const tags = seen.find((instance) => instance.service.id === service.id)?.service.tags;
  return tags === undefined ? service : { ...service, tags };
}
