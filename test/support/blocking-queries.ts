import { vi } from 'vitest';
import type { BlockingQueries, Indexed, Instance } from '../../src/registry/registry.ts';
import { unreachable } from './shaky-registry.ts';

/** A blocking query for a name. */
export interface Waiting {
  readonly name: string;
  readonly index: number;
  answer(index: number, instances?: readonly Instance[]): void;
  fail(): void;
}

/** A registry whose blocking queries a test answers by hand. */
export class FakeBlockingQueries implements Pick<BlockingQueries, 'changes'> {
  /** Queries that no test has taken yet. */
  readonly waiting: Waiting[] = [];
  /** Names whose query was aborted, in that order. */
  readonly ended: string[] = [];
  /** Number of open queries, taken or not. */
  open = 0;

  changes(name: string, index: number, signal: AbortSignal) {
    this.open += 1;
    const asked = Promise.withResolvers<Indexed<readonly Instance[]>>();
    const giveUp = () => {
      this.ended.push(name);
      asked.reject(signal.reason);
    };
    signal.addEventListener('abort', giveUp);
    this.waiting.push({
      name,
      index,
      answer: (next, instances = []) => asked.resolve({ value: instances, index: next }),
      fail: () => asked.reject(unreachable()),
    });
    return asked.promise.finally(() => {
      this.open -= 1;
      signal.removeEventListener('abort', giveUp);
    });
  }

  /** Resolves with the next query as soon as it is sent. */
  next(): Promise<Waiting> {
    return vi.waitFor(() => {
      const waiting = this.waiting.shift();
      if (waiting === undefined) throw new Error('nothing is asked');
      return waiting;
    }, 3000);
  }
}

/** An instance on another host. */
export function instanceAt(address: string, name = 'web'): Instance {
  const service = { id: `${name}-${address}`, name, address, port: 80, tags: [], meta: {}, checks: [] };
  return {
    service: { ...service, weights: { passing: 1, warning: 1 } },
    node: 'h2',
    nodeAddress: '192.0.2.2',
    status: 'passing',
  };
}
