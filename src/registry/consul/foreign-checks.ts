import { ID_PREFIX } from '../../services/naming/identity.ts';
import type { Service } from '../../services/service.ts';
import { readAgentChecks } from './api/answers.ts';
import type { ConsulClient } from './api/client.ts';

/**
 * Checks that others registered on our services: `consul maint`, or an operator's own check. A registration that
 * replaces all checks would remove them and end the maintenance.
 */
export class ForeignChecks {
  readonly #client: ConsulClient;
  /** Ids of checks that this process registered, by service id; our prefix identifies those of an earlier process. */
  readonly #ours = new Map<string, ReadonlySet<string>>();

  constructor(client: ConsulClient) {
    this.#client = client;
  }

  /**
   * Undefined if the service has no foreign check, so that all its checks can be replaced. Otherwise the ids of our
   * checks that the service no longer has. @throws HeddleError as ConsulClient does
   */
  async staleOwnChecks(
    service: Service,
    signal: AbortSignal | undefined,
  ): Promise<readonly string[] | undefined> {
    const { id, name, checks } = service;
    const attempt = `cannot read the checks of ${name}`;
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

  registered({ id, checks }: Service): void {
    if (checks.length > 0) this.#ours.set(id, new Set(checks.map((check) => check.id)));
    else this.#ours.delete(id);
  }

  forget(id: string): void {
    this.#ours.delete(id);
  }
}
