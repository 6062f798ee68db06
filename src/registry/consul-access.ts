import { HeddleError } from '../errors.ts';
import type { ConsulClient } from './consul-client.ts';

/** Consul answers this question from memory, with a leader and without: one that takes longer hangs. */
const LEADER_TIMEOUT_MS = 3_000;

/** Whether a Consul can be written to now, and whether what it shows is all there is. */
export class ConsulAccess {
  readonly #client: ConsulClient;

  constructor(client: ConsulClient) {
    this.#client = client;
  }

  /**
   * Asks for the leader, because without one every write takes 7 s and 200 means nothing.
   * @throws HeddleError `unreachable`
   */
  async ready(signal?: AbortSignal): Promise<void> {
    const attempt = 'cannot ask for the leader';
    // The package makes undefined of the empty text.
    const call = { attempt, path: '/status/leader', signal, timeout: LEADER_TIMEOUT_MS };
    const leader = await this.#client.get<string | undefined>(call);
    if (!leader) {
      throw new HeddleError('unreachable', `${this.#client.name} has no leader; its servers have no quorum`);
    }
  }

  /** Its clock, as it says in an answer (RFC 9110 §6.6.1); empty where it does not. @throws HeddleError `unreachable` */
  async date(): Promise<string> {
    const attempt = 'cannot ask for the time';
    return this.#client.getDate({ attempt, path: '/status/leader', timeout: LEADER_TIMEOUT_MS });
  }

  /**
   * A token that may not read gets 200 and an empty list, and what a token may can change at any time. Reading is
   * proven where the servers' own service is seen, or where there are no tokens at all.
   * @throws HeddleError `refused`
   */
  async proveReading(signal?: AbortSignal): Promise<void> {
    const attempt = 'cannot tell whether the token may read';
    const services = await this.#client.get<object>({ attempt, path: '/catalog/services', signal });
    if (!('consul' in services) && !(await this.#withoutTokens(signal))) {
      const message = `${this.#client.name} shows this token no services, not even its own`;
      throw new HeddleError(
        'refused',
        `${message}; the token (CONSUL_HTTP_TOKEN) needs ${this.#client.tokenPolicy}`,
      );
    }
  }

  /** With ACLs off, Consul answers 401 to every question about tokens. */
  async #withoutTokens(signal: AbortSignal | undefined): Promise<boolean> {
    const call = { attempt: 'cannot ask for the token', path: '/acl/token/self', signal };
    return this.#client.get(call).then(
      () => false,
      (error: unknown) => {
        if (error instanceof HeddleError && !error.retryable)
          return error.message.includes('ACL support disabled');
        throw error;
      },
    );
  }
}
