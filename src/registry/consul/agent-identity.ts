import { isDeepStrictEqual } from 'node:util';
import type { ConsulClient } from './api/client.ts';
import { type AgentSelf, readSelf } from './api/self.ts';

/**
 * What the Consul agent says of itself. It changes while heddle runs: an agent comes back under another node name, at
 * another address, in another version. Every read that differs from the one before is reported.
 */
export class AgentIdentity {
  readonly #client: ConsulClient;
  readonly #listeners = new Set<(now: AgentSelf, before: AgentSelf | undefined) => void>();
  #last: AgentSelf | undefined;

  constructor(client: ConsulClient) {
    this.#client = client;
  }

  /** As last read; undefined until the agent answered once. */
  get last(): AgentSelf | undefined {
    return this.#last;
  }

  /** Calls back with the first answer and with every different one. */
  onChange(listener: (now: AgentSelf, before: AgentSelf | undefined) => void): void {
    this.#listeners.add(listener);
  }

  /** Asks the agent. @throws HeddleError as ConsulClient does */
  async read(signal?: AbortSignal): Promise<AgentSelf> {
    const attempt = 'cannot ask the agent for its node';
    const now = await this.#client.get({ attempt, path: '/agent/self', signal }, readSelf);
    const before = this.#last;
    this.#last = now;
    if (before === undefined || !isSame(before, now)) {
      for (const listener of this.#listeners) listener(now, before);
    }
    return now;
  }
}

/** The agent's counters change with every registration and say nothing of who it is. */
function isSame({ counters: _, ...one }: AgentSelf, { counters: __, ...other }: AgentSelf): boolean {
  return isDeepStrictEqual(one, other);
}
