import { expect, it } from 'vitest';
import { FirstScan } from '../../../src/dns/zones/first-scan.ts';

it('holds every question until all running containers are known, and none afterwards', async () => {
  const complete = Promise.withResolvers<void>();
  const zone = new FirstScan(() => complete.promise);
  let passed = 0;
  const held = [zone.resolve(), zone.resolve()].map((waiting) =>
    Promise.resolve(waiting).then(() => passed++),
  );
  await new Promise((resolve) => setImmediate(resolve));
  expect(passed).toBe(0);
  complete.resolve();
  await Promise.all(held);
  expect(passed).toBe(2);
  expect(zone.resolve()).toBeUndefined();
});

it('passes questions on when the scan takes longer than a client waits', async () => {
  const zone = new FirstScan(() => new Promise(() => {}), { patience: 10 });
  await zone.resolve();
  expect(zone.resolve()).toBeUndefined();
});
