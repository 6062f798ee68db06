import { ID_PREFIX } from '../../services/naming/identity.ts';
import type { Service } from '../../services/service.ts';
import { readAgentChecks } from './api/answers.ts';
import type { ConsulClient } from './api/client.ts';

/**
 * Checks that somebody else put on services of ours: `consul maint`, or a check of an operator's. A registration that
 * replaces all checks would take them away, and end the maintenance.
 */
export class OthersChecks {
  readonly #client: ConsulClient;
  /** Ids of checks that were registered from here, by service id; those of an earlier process are known by their form. */
  readonly #ours = new Map<string, ReadonlySet<string>>();

  constructor(client: ConsulClient) {
    this.#client = client;
  }

  /**
   * Undefined where a service has no check of somebody else, and all of its checks can be replaced; else the ids of ours
   * that it no longer has. @throws HeddleError as ConsulClient does
   */
  async staleBeside(
    service: Service,
    signal: AbortSignal | undefined,
  ): Promise<readonly string[] | undefined> {
    const { id, name, checks } = service;
    const attempt = `cannot look at the checks of ${name}`;
    const query = { filter: `ServiceID == ${JSON.stringify(id)}` };
    const held = await this.#client.get({ attempt, path: '/agent/checks', query, signal }, readAgentChecks);
    const isOurs = (check: string) => check.startsWith(ID_PREFIX) || this.#ours.get(id)?.has(check) === true;
    const ids = [...held.keys()];
    if (ids.every(isOurs)) return undefined;
    return ids.filter((check) => isOurs(check) && !checks.some((wanted) => wanted.id === check));
  }

  async remove(checks: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    for (const id of checks) {
      const path = '/agent/check/deregister/{id}';
      await this.#client.put({ attempt: `cannot remove the check ${id}`, path, params: { id }, signal });
    }
  }

  taken({ id, checks }: Service): void {
    if (checks.length > 0) this.#ours.set(id, new Set(checks.map((check) => check.id)));
    else this.#ours.delete(id);
  }

  forget(id: string): void {
    this.#ours.delete(id);
  }
}
