import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WaitingSlots } from '../../../src/dns/forward/waiting-slots.ts';

const take = (places: WaitingSlots, client: string, count: number, servers = 'a') =>
  Array.from({ length: count }, () => places.take(client, servers)).filter((taken) => taken);

describe('slots for waiting clients', () => {
  test('never all go to one client of the same servers', () => {
    const places = new WaitingSlots();
    expect(take(places, 'greedy', 2_000).length).toBe(308);
    expect(take(places, 'modest', 200).length).toBe(200);
    expect(take(places, 'greedy', 10, 'b').length).toBe(10);
  });

  test('remain for the next client, however many clients ask for all', () => {
    const places = new WaitingSlots();
    for (let client = 0; client < 10; client += 1) take(places, `greedy${client}`, 2_000);
    expect(take(places, 'modest', 10).length).toBe(10);
    for (let client = 10; client < 100; client += 1) take(places, `greedy${client}`, 2_000);
    expect(places.take('modest', 'b')).toBe(true);
  });

  test('are released, and never more than exist', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ client: fc.nat(5), servers: fc.nat(2), leaves: fc.boolean() }), {
          maxLength: 300,
        }),
        (steps) => {
          const places = new WaitingSlots();
          const taken: (readonly [string, string])[] = [];
          for (const { client, servers, leaves } of steps) {
            const place = [`${client}`, `${servers}`] as const;
            if (places.take(...place)) taken.push(place);
            const first = leaves ? taken.shift() : undefined;
            if (first) places.release(...first);
            expect(places.taken).toBe(taken.length);
          }
          for (const place of taken) places.release(...place);
          expect(places.taken).toBe(0);
          expect(take(places, 'next', 2_000).length).toBe(308);
        },
      ),
    );
  });
});
