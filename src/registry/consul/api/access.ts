import { HeddleError } from '../../../errors.ts';
import { readAnything, readCount, readKeys, readText } from './answers.ts';
import type { ConsulClient } from './client.ts';
import { AnswerTooLong } from './errors.ts';

/** Consul answers this request from memory, with or without a leader; a Consul that takes longer hangs. */
const LEADER_TIMEOUT_MS = 3_000;
/** A token that gets an answer this long may read; the rest of the answer is not needed. */
const MANY_NAMES_BYTES = 1 << 20;

/** Checks whether Consul accepts writes now, and whether the token may see everything. */
export class ConsulAccess {
  readonly #client: ConsulClient;

  constructor(client: ConsulClient) {
    this.#client = client;
  }

  /**
   * Asks for the leader: without one every write takes 7 s, and 200 does not mean that a write succeeded.
   * @throws HeddleError `unreachable`
   */
  async ready(signal?: AbortSignal): Promise<void> {
    const attempt = 'cannot read the leader';
    const call = { attempt, path: '/status/leader', signal, timeout: LEADER_TIMEOUT_MS };
    const leader = await this.#client.get(call, readText);
    if (!leader) {
      throw new HeddleError('unreachable', `${this.#client.name} has no leader; its servers have no quorum`);
    }
  }

  /** The `Date` header of an answer (RFC 9110 §6.6.1); empty without one. @throws HeddleError `unreachable` */
  async date(): Promise<string> {
    const attempt = 'cannot read the time';
    return this.#client.getDate({ attempt, path: '/status/leader', timeout: LEADER_TIMEOUT_MS });
  }

  /**
   * Proves that an empty list is true. A token without read permission gets 200 and an empty list, and permissions can
   * change at any time. Proof is that the token sees the servers' own service, or that ACLs are off.
   * @throws HeddleError `refused`
   */
  async proveReading(signal?: AbortSignal): Promise<void> {
    const attempt = 'cannot verify that the token may read';
    const call = { attempt, path: '/catalog/services', signal, mostBytes: MANY_NAMES_BYTES };
    const services = await this.#client.get(call, readKeys).catch(unlessTooLong);
    if (services !== undefined && !services.includes('consul'))
      await this.#refuseUnlessOpen('no services, not even its own', signal);
  }

  /**
   * Proves the same for nodes: the catalog hides instances on nodes that the token may not read. Proof is a visible
   * instance of the servers' own service. Call it after the empty answer that it should prove.
   * @throws HeddleError `refused`
   */
  async proveReadingCatalog(signal?: AbortSignal): Promise<void> {
    const attempt = 'cannot verify that the token may read the catalog';
    const path = '/health/service/consul';
    const servers = await this.#client.get({ attempt, path, signal }, readCount);
    if (servers === 0) await this.#refuseUnlessOpen('no service on any node, not even its own', signal);
  }

  async #refuseUnlessOpen(seen: string, signal: AbortSignal | undefined): Promise<void> {
    if (await this.#withoutTokens(signal)) return;
    const { name, hasToken, tokenHint } = this.#client;
    throw new HeddleError('refused', `${name} shows ${hasToken ? 'this token ' : ''}${seen}; ${tokenHint}`);
  }

  /** With ACLs off, Consul answers 401 to every request about tokens. */
  async #withoutTokens(signal: AbortSignal | undefined): Promise<boolean> {
    const call = { attempt: 'cannot read the token', path: '/acl/token/self', signal };
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
