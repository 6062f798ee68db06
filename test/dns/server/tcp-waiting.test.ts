import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WaitingRoom } from '../../../src/dns/server/tcp-waiting.ts';

const limits = { burst: 4, perSecond: 10, each: 20, total: 50 };
let room: WaitingRoom;
beforeEach(() => {
  vi.useFakeTimers();
  room = new WaitingRoom(limits);
});
afterEach(() => {
  room.close();
  vi.useRealTimers();
});

class FakeSocket extends EventEmitter {
  end: 'destroyed' | 'reset' | undefined;
  destroy(): void {
    this.end ??= 'destroyed';
    this.emit('close');
  }
  resetAndDestroy(): void {
    this.end = 'reset';
    this.destroy();
  }
}

/** Opens this many connections, reopens each closed one for some seconds, and returns how many were accepted. */
function enter(client: string, count: number) {
  const taken: FakeSocket[] = [];
  const sockets = Array.from({ length: count }, () => new FakeSocket());
  for (const socket of sockets)
    room.enter(client, socket as unknown as Socket, () => void taken.push(socket));
  return { sockets, taken };
}

test('accepts some connections of a client at once, then a fixed number per second, in order', async () => {
  const { sockets, taken } = enter('a', 20);
  expect(taken).toHaveLength(4);
  await vi.advanceTimersByTimeAsync(1000);
  expect(taken.length).toBeGreaterThanOrEqual(13);
  expect(taken.length).toBeLessThanOrEqual(14);
  await vi.advanceTimersByTimeAsync(1000);
  expect(taken).toEqual(sockets);
});

test('no client waits for another client', () => {
  enter('a', 20);
  expect(enter('b', 1).taken).toHaveLength(1);
});

test('closes new connections at once beyond the places of one client or of all', () => {
  const ends = ({ sockets }: ReturnType<typeof enter>) => sockets.filter(({ end }) => end === 'reset').length;
  expect(['a', 'b', 'c'].map((client) => ends(enter(client, 30)))).toEqual([6, 6, 16]);
});

test('a connection that is closed while it waits frees its place, and is not accepted', async () => {
  const { sockets, taken } = enter('a', 24);
  for (const socket of sockets.slice(4)) socket.destroy();
  expect(enter('a', 20).sockets.every(({ end }) => end === undefined)).toBe(true);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(taken).toHaveLength(4);
});

test('an idle client is forgotten, and no timer is left', async () => {
  enter('a', 20);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(vi.getTimerCount()).toBe(0);
  expect(enter('a', 20).taken).toHaveLength(4);
});

test('no connection waits after close', () => {
  const { sockets } = enter('a', 20);
  room.close();
  expect(sockets.slice(4).every(({ end }) => end === 'destroyed')).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});
