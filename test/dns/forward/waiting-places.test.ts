import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WaitingPlaces } from '../../../src/dns/forward/waiting-places.ts';

const take = (places: WaitingPlaces, client: string, count: number, servers = 'a') =>
  Array.from({ length: count }, () => places.take(client, servers)).filter((taken) => taken);

describe('places to wait in', () => {
  test('are not all for one client, for the servers that it waits for', () => {
    const places = new WaitingPlaces();
    expect(take(places, 'greedy', 2_000).length).toBe(308);
    expect(take(places, 'modest', 200).length).toBe(200);
    expect(take(places, 'greedy', 10, 'b').length).toBe(10);
  });

  test('are there for the next client, however many ask for all', () => {
    const places = new WaitingPlaces();
    for (let client = 0; client < 10; client += 1) take(places, `greedy${client}`, 2_000);
    expect(take(places, 'modest', 10).length).toBe(10);
    for (let client = 10; client < 100; client += 1) take(places, `greedy${client}`, 2_000);
    expect(places.take('modest', 'b')).toBe(true);
  });

  test('are given back, and never more than there are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ client: fc.nat(5), servers: fc.nat(2), leaves: fc.boolean() }), {
          maxLength: 300,
        }),
        (steps) => {
          const places = new WaitingPlaces();
          const taken: (readonly [string, string])[] = [];
          for (const { client, servers, leaves } of steps) {
            const place = [`${client}`, `${servers}`] as const;
            if (places.take(...place)) taken.push(place);
            const first = leaves ? taken.shift() : undefined;
            if (first) places.leave(...first);
            expect(places.taken).toBe(taken.length);
          }
          for (const place of taken) places.leave(...place);
          expect(places.taken).toBe(0);
          expect(take(places, 'next', 2_000).length).toBe(308);
        },
      ),
    );
  });
});
