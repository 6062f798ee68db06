import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Instance } from '../../../src/registry/registry.ts';
import { RemoteNames } from '../../../src/registry/view/remote-names.ts';
import { FakeBlockingQueries, instanceAt } from '../../support/blocking-queries.ts';
import { unreachable } from '../../support/shaky-registry.ts';

const [one, two] = [instanceAt('10.2.1.1'), instanceAt('10.2.1.2')];
let held: Map<string, Instance[]>;
let away: boolean;
let asked: string[];
let blockingQueries: FakeBlockingQueries;
let names: RemoteNames;

beforeEach(() => {
  held = new Map([['web', [one]]]);
  away = false;
  asked = [];
  blockingQueries = new FakeBlockingQueries();
  const lookups = {
    instances: async (name: string) => {
      asked.push(name);
      if (away) throw unreachable();
      return held.get(name) ?? [];
    },
    node: async () => undefined,
  };
  names = new RemoteNames({ lookups, blockingQueries }, { freshFor: 50 });
});
afterEach(() => names.stop());

test('an unused name costs nothing', async () => {
  await delay(60);
  expect([asked, blockingQueries.open, names.status()]).toEqual([[], 0, { watched: 0, known: 0 }]);
});

test('a used name is looked up once, then watched without further lookups', async () => {
  expect(await Promise.all([names.instances('web'), names.instances('web')])).toEqual([[one], [one]]);
  (await blockingQueries.next()).answer(3, [one, two]);
  await blockingQueries.next();
  await delay(60);
  expect(names.instances('web')).toEqual([one, two]);
  expect([asked, names.status()]).toEqual([['web'], { watched: 1, known: 1 }]);
});

test('an unknown name is not watched, however often it is used', async () => {
  for (let time = 0; time < 3; time++) {
    expect(await names.instances('nope')).toEqual([]);
    await delay(60);
  }
  expect([asked.length, blockingQueries.open]).toEqual([3, 0]);
});

test('unknown names do not evict answers kept for an outage of the registry', async () => {
  names = new RemoteNames(
    {
      lookups: {
        instances: async (name) => (away ? Promise.reject(unreachable()) : (held.get(name) ?? [])),
        node: async (name) => (name === 'n1' ? { name, address: '10.2.1.1', meta: {} } : undefined),
      },
    },
    { freshFor: 50, most: 10 },
  );
  await Promise.all([names.instances('web'), names.node('n1')]);
  for (let n = 0; n < 100; n++) await Promise.all([names.instances(`x${n}`), names.node(`x${n}`)]);
  away = true;
  await delay(60);
  expect(await names.instances('web')).toEqual([one]);
  expect(await names.node('n1')).toMatchObject({ address: '10.2.1.1' });
});

test('of five thousand names 32 are watched; the others are looked up again once they are too old', async () => {
  const many = Array.from({ length: 5000 }, (_, n) => `web-${n}`);
  for (const name of many) held.set(name, [instanceAt('10.2.1.1', name)]);
  for (const name of many) expect(await names.instances(name)).toHaveLength(1);
  await delay(60);
  expect([blockingQueries.open, names.status()]).toEqual([32, { watched: 32, known: 5000 }]);
  held.set('web-4999', [two]);
  expect(await names.instances('web-4999')).toEqual([two]);
  expect(asked).toHaveLength(5001);
});

test('while the registry is unreachable, a watched name has its last instances, and new ones afterwards', async () => {
  await names.instances('web');
  (await blockingQueries.next()).answer(3, [two]);
  away = true;
  (await blockingQueries.next()).fail();
  await vi.waitFor(async () => {
    expect(await names.instances('web')).toEqual([two]);
    expect(asked.length).toBeGreaterThan(1);
  });
  expect(names.lastKnown('web')).toEqual([two]);
  away = false;
  (await blockingQueries.next()).answer(1, [one]);
  await blockingQueries.next();
  expect(names.instances('web')).toEqual([one]);
});

test('answers with ten megabytes of metadata evict each other', async () => {
  const large = { ...one, service: { ...one.service, meta: { note: 'x'.repeat(5 << 20) } } };
  for (let n = 0; n < 20; n++) {
    held.set(`large-${n}`, [large]);
    await names.instances(`large-${n}`);
  }
  expect(names.status().known).toBe(6);
});
