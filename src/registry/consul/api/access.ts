import { HeddleError } from '../../../errors.ts';
import { readAnything, readCount, readKeys, readText } from './answers.ts';
import type { ConsulClient } from './client.ts';
import { AnswerTooLong } from './errors.ts';

/** Consul answers this question from memory, with a leader and without: one that takes longer hangs. */
const LEADER_TIMEOUT_MS = 3_000;
/** A token that is shown so many names may read; there is no need to read them all. */
const MANY_NAMES_BYTES = 1 << 20;

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
    const call = { attempt, path: '/status/leader', signal, timeout: LEADER_TIMEOUT_MS };
    const leader = await this.#client.get(call, readText);
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
   * A token that may not read gets 200 and an empty list, and what a token may can change at any time. Reading the
   * agent's services is proven where the servers' own is seen, or where there are no tokens at all.
   * @throws HeddleError `refused`
   */
  async proveReading(signal?: AbortSignal): Promise<void> {
    const attempt = 'cannot tell whether the token may read';
    const call = { attempt, path: '/catalog/services', signal, mostBytes: MANY_NAMES_BYTES };
    const services = await this.#client.get(call, readKeys).catch(unlessTooLong);
    if (services !== undefined && !services.includes('consul'))
      await this.#refuseUnlessOpen('no services, not even its own', signal);
  }

  /**
   * The catalog shows a token no instance on a node that it may not read; reading that is proven where an instance of
   * the servers' own service is seen. To be asked after the empty answer that it is to prove.
   * @throws HeddleError `refused`
   */
  async proveReadingCatalog(signal?: AbortSignal): Promise<void> {
    const attempt = 'cannot tell whether the token may read the catalog';
    const path = '/health/service/consul';
    const servers = await this.#client.get({ attempt, path, signal }, readCount);
    if (servers === 0) await this.#refuseUnlessOpen('no service on any node, not even its own', signal);
  }

  async #refuseUnlessOpen(seen: string, signal: AbortSignal | undefined): Promise<void> {
    if (await this.#withoutTokens(signal)) return;
    const { name, hasToken, tokenHint } = this.#client;
    throw new HeddleError('refused', `${name} shows ${hasToken ? 'this token ' : ''}${seen}; ${tokenHint}`);
  }

  /** With ACLs off, Consul answers 401 to every question about tokens. */
  async #withoutTokens(signal: AbortSignal | undefined): Promise<boolean> {
    const call = { attempt: 'cannot ask for the token', path: '/acl/token/self', signal };
    return this.#client.get(call, readAnything).then(
      () => false,
      (error: unknown) => {
        if (error instanceof HeddleError && !error.retryable)
          return error.message.includes('ACL support disabled');
        throw error;
      },
    );
  }
}

function unlessTooLong(error: unknown): undefined {
  if (error instanceof HeddleError && error.cause instanceof AnswerTooLong) return undefined;
  throw error;
}
