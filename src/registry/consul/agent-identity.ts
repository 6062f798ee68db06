import { isDeepStrictEqual } from 'node:util';
import type { ConsulClient } from './api/client.ts';
import { type AgentSelf, readSelf } from './api/self.ts';

/**
 * The node name, address and version of the Consul agent. They may change while heddle runs, when the agent restarts.
 * Every answer that differs from the last one is passed to the listeners.
 */
export class AgentIdentity {
  readonly #client: ConsulClient;
  readonly #listeners = new Set<(now: AgentSelf, before: AgentSelf | undefined) => void>();
  #last: AgentSelf | undefined;

  constructor(client: ConsulClient) {
    this.#client = client;
  }

  /** The last answer; undefined until the agent has answered once. */
  get last(): AgentSelf | undefined {
    return this.#last;
  }

  /** Calls back with the first answer and with every changed one. */
  onChange(listener: (now: AgentSelf, before: AgentSelf | undefined) => void): void {
    this.#listeners.add(listener);
  }

  /** Reads the agent's identity. @throws HeddleError as ConsulClient does */
  async read(signal?: AbortSignal): Promise<AgentSelf> {
    const attempt = "cannot read the agent's node";
    const now = await this.#client.get({ attempt, path: '/agent/self', signal }, readSelf);
    const before = this.#last;
    this.#last = now;
    if (before === undefined || !isSame(before, now)) {
      for (const listener of this.#listeners) listener(now, before);
    }
    return now;
  }
}

/** Ignores the counters: they change with every registration and are no part of the identity. */
function isSame({ counters: _, ...one }: AgentSelf, { counters: __, ...other }: AgentSelf): boolean {
  return isDeepStrictEqual(one, other);
}
