import { expect, it } from 'vitest';
import { FirstLook } from '../../../src/dns/zones/first-look.ts';

it('holds every question back until everything that runs is known, and none after it', async () => {
  const known = Promise.withResolvers<void>();
  const zone = new FirstLook(() => known.promise);
  let passed = 0;
  const held = [zone.resolve(), zone.resolve()].map((waiting) =>
    Promise.resolve(waiting).then(() => passed++),
  );
  await new Promise((resolve) => setImmediate(resolve));
  expect(passed).toBe(0);
  known.resolve();
  await Promise.all(held);
  expect(passed).toBe(2);
  expect(zone.resolve()).toBeUndefined();
});

it('passes them on when it takes longer than an asker waits', async () => {
  const zone = new FirstLook(() => new Promise(() => {}), { patience: 10 });
  await zone.resolve();
  expect(zone.resolve()).toBeUndefined();
});
