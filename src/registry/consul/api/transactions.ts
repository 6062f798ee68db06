import { HeddleError } from '../../../errors.ts';
import type { ConsulClient } from './client.ts';

/** One operation of `/v1/txn`, as Consul writes it. */
export type Operation = object;

interface Waiting {
  readonly attempt: string;
  readonly operations: readonly Operation[];
  readonly size: number;
  readonly done: (error?: unknown) => void;
}

/** Consul's own limits: 64 operations, 512 KiB. */
const MOST_OPERATIONS = 64;
const MOST_BYTES = 450_000;
/** More concurrent transactions are no faster. */
const AT_ONCE = 2;

/**
 * Writes to the catalog in transactions. Requests that arrive while two transactions run are combined in the next one.
 * Each transaction begins with the same operations, and the operations of one request stay together.
 */
export class Transactions {
  readonly #client: ConsulClient;
  readonly #first: () => readonly Operation[];
  #waiting: Waiting[] = [];
  #underWay = 0;

  constructor(client: ConsulClient, first: () => readonly Operation[]) {
    this.#client = client;
    this.#first = first;
  }

  /** @throws HeddleError `unreachable`, or `refused` with Consul's message */
  run(attempt: string, operations: readonly Operation[]): Promise<void> {
    const size = Buffer.byteLength(JSON.stringify(operations));
    return new Promise((resolve, reject) => {
      const done = (error?: unknown) => (error === undefined ? resolve() : reject(error as Error));
      this.#waiting.push({ attempt, operations, size, done });
      if (this.#waiting.length === 1) setImmediate(() => this.#next());
    });
  }

  #next(): void {
    while (this.#waiting.length > 0 && this.#underWay < AT_ONCE) {
      const together = this.#take();
      this.#underWay++;
      void this.#commit(together).finally(() => {
        this.#underWay--;
        this.#next();
      });
    }
  }

  #take(): readonly Waiting[] {
    let [operations, bytes, count] = [this.#first().length, 0, 0];
    for (const { operations: own, size } of this.#waiting) {
      operations += own.length;
      bytes += size;
      if (count > 0 && (operations > MOST_OPERATIONS || bytes > MOST_BYTES)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #commit(together: readonly Waiting[]): Promise<void> {
    const [only] = together;
    if (only === undefined) return;
    const attempt = together.length === 1 ? only.attempt : `cannot write ${together.length} services`;
    const body = [...this.#first(), ...together.flatMap(({ operations }) => operations)];
    try {
      await this.#client.put({ attempt, path: '/txn', body });
      for (const { done } of together) done();
    } catch (error) {
      // One bad request fails the whole transaction. Sent alone, each request gets its own answer.
      const shared = together.length > 1 && error instanceof HeddleError && !error.retryable;
      if (shared) for (const one of together) await this.#commit([one]);
      else for (const { done } of together) done(error);
    }
  }
}
