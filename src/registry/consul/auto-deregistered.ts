import { isReported, type Service } from '../../services/service.ts';

/** What an agent says of a service at the moment that it is registered. */
export interface AgentSays {
  /** Another one when the agent lost its data. */
  readonly nodeId: string | undefined;
  readonly holds: boolean;
}

/**
 * Knows services again that Consul's agent removed, because a check of theirs was critical for longer than
 * CHECK_DEREGISTER_AFTER. Their containers run, so that they come back; but as critical until a check has passed,
 * whatever CHECK_INITIAL_STATUS says: a sick instance must not be answered again each time that it is removed.
 */
export class AutoDeregistered {
  /** Services that Consul may remove: the agent that took each, by service id. */
  readonly #takenBy = new Map<string, string | undefined>();

  /** True for a service that Consul may remove by itself. */
  static concerns(service: Service): boolean {
    return service.checks.some(({ deregisterAfter }) => deregisterAfter !== undefined);
  }

  /** The service as it is to be registered. */
  returning(service: Service, { nodeId, holds }: AgentSays): Service {
    const reaped = !holds && this.#takenBy.has(service.id) && this.#takenBy.get(service.id) === nodeId;
    if (!reaped) return service;
    // What heddle tells is true already.
    return {
      ...service,
      checks: service.checks.map((check) => (isReported(check) ? check : { ...check, status: 'critical' })),
    };
  }

  taken({ id }: Service, { nodeId }: AgentSays): void {
    this.#takenBy.set(id, nodeId);
  }

  /** We removed it: what comes under this id next is new. */
  forget(id: string): void {
    this.#takenBy.delete(id);
  }
}
