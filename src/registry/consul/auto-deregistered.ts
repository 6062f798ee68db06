import { isReported, type Service } from '../../services/service.ts';

/** The agent's view of a service at the moment of registration. */
export interface AgentState {
  /** Changes when the agent loses its data. */
  readonly nodeId: string | undefined;
  /** Whether the agent holds the service. */
  readonly holds: boolean;
}

/**
 * Recognises services that Consul's agent removed because a check was critical for longer than CHECK_DEREGISTER_AFTER.
 * Their containers run, so they are registered again, but as critical until a check passes. CHECK_INITIAL_STATUS does
 * not apply: DNS would answer a sick instance again after each removal.
 */
export class AutoDeregistered {
  /** Services that Consul may remove: the node id of the agent that accepted each, by service id. */
  readonly #registeredWith = new Map<string, string | undefined>();

  /** True for a service that Consul may remove by itself. */
  static concerns(service: Service): boolean {
    return service.checks.some(({ deregisterAfter }) => deregisterAfter !== undefined);
  }

  /** The service as it should be registered. */
  comingBack(service: Service, { nodeId, holds }: AgentState): Service {
    const isRemoved =
      !holds && this.#registeredWith.has(service.id) && this.#registeredWith.get(service.id) === nodeId;
    if (!isRemoved) return service;
    // Reported checks already have their true status.
    return {
      ...service,
      checks: service.checks.map((check) => (isReported(check) ? check : { ...check, status: 'critical' })),
    };
  }

  registered({ id }: Service, { nodeId }: AgentState): void {
    this.#registeredWith.set(id, nodeId);
  }

  /** Records that we removed the service: the next one under this id is new. */
  forget(id: string): void {
    this.#registeredWith.delete(id);
  }
}
