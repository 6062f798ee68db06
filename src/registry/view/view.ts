import { setTimeout as delay } from 'node:timers/promises';
import { checkStatus, checksReportedByHeddle, worstStatus } from '../../services/health.ts';
import { isOurs } from '../../services/naming/identity.ts';
import type { Check, CheckStatus, Service } from '../../services/service.ts';
import type { Desired } from '../reconcile/desired.ts';
import type { CheckState, Instance, NodeEntry, NodeHealth, Registry, View } from '../registry.ts';
import type { RemoteNames } from './remote-names.ts';

export interface ViewNeeds {
  readonly desired: Pick<Desired, 'byName' | 'byAddress'>;
  /** What a shared registry has; undefined where the registry is this host's own. */
  readonly remote?: Pick<RemoteNames, 'instances' | 'lastKnown' | 'node'> | undefined;
  /** True for what the registry refused: no other host will see it, so neither do we. */
  readonly refused: (id: string) => boolean;
  /** Who runs the checks of services. */
  readonly checkedBy: Registry['checkedBy'];
  /** What a shared registry finds of this host's node and services; undefined until it has said so. */
  readonly found?: () => NodeHealth | undefined;
  /** The node that services of this host are said to be on. */
  readonly node: () => NodeEntry & { readonly name: string };
}

/** How long a name of this host waits for what other hosts have of it: a healthy registry takes a few. */
const LOCAL_PATIENCE_MS = 100;

/**
 * What a name resolves to. This host's services come from desired state, at once and whatever the registry does;
 * other hosts' from the registry.
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
        (error: unknown) => this.#only(here, error),
      );
      return ignorable(this.#local(here, []).length > 0 ? this.#soon(complete, name, here) : complete);
    } catch (error) {
      return this.#only(here, error);
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

  /** What this host can answer itself does not wait for a registry that hangs; the others are as last known then. */
  async #soon(
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

  /** An empty answer would be a lie when the others could not be asked. */
  #only(here: readonly Service[], error: unknown): readonly Instance[] | Promise<never> {
    const local = this.#local(here, []);
    return local.length > 0 ? local : ignorable(Promise.reject(error));
  }

  /**
   * What heddle knows of their checks counts at once; of those that an agent runs, what that is heard to find, or else
   * what was seen of the name. Checks that somebody else put on a service or its node count as Consul counts them, and
   * so does maintenance, which is such a check.
   */
  #local(services: readonly Service[], seen: readonly Instance[]): readonly Instance[] {
    const { name: node, address: nodeAddress } = this.#needs.node();
    const found = this.#needs.found?.();
    const isWell = found === undefined || (found.services.size === 0 && found.node.unwell === undefined);
    return services.flatMap((desired): Instance | [] => {
      if (this.#needs.refused(desired.id)) return [];
      const service = desired.enableTagOverride === true ? withTagsOf(desired, seen) : desired;
      // Most services have none, and every question for a name comes by here.
      if (service.checks.length === 0 && isWell) return { service, node, nodeAddress, status: 'passing' };
      const own = checksReportedByHeddle(service, this.#needs.checkedBy);
      const agentRuns = own.length < service.checks.length;
      const known = found
        ? (found.services.get(service.id) ?? (agentRuns ? undefined : found.node))
        : seen.find((other) => agentRuns && other.service.id === service.id);
      if (known === undefined && agentRuns) return [];
      const unwell = unwellOf(own, known?.unwell);
      const instance = { service, node, nodeAddress, status: worstOf(unwell) };
      return unwell.length === 0 ? instance : { ...instance, unwell };
    });
  }
}

/** A Promise whose failure is heard by those alone who wait for it. */
function ignorable<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** Of what was seen, what heddle itself says of a check counts more. */
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

/** Where others may change the tags, those of the registry are the service's, as soon as it has it. */
function withTagsOf(service: Service, seen: readonly Instance[]): Service {
  const tags = seen.find((instance) => instance.service.id === service.id)?.service.tags;
  return tags === undefined ? service : { ...service, tags };
}
