import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Instance } from '../../../src/registry/registry.ts';
import { RemoteNames } from '../../../src/registry/view/remote-names.ts';
import { FakeMoving, instanceAt } from '../../support/moving.ts';
import { unreachable } from '../../support/shaky-registry.ts';

const [one, two] = [instanceAt('10.2.1.1'), instanceAt('10.2.1.2')];
let held: Map<string, Instance[]>;
let away: boolean;
let asked: string[];
let moving: FakeMoving;
let names: RemoteNames;

beforeEach(() => {
  held = new Map([['web', [one]]]);
  away = false;
  asked = [];
  moving = new FakeMoving();
  const elsewhere = {
    instances: async (name: string) => {
      asked.push(name);
      if (away) throw unreachable();
      return held.get(name) ?? [];
    },
    node: async () => undefined,
  };
  names = new RemoteNames({ elsewhere, moving }, { freshFor: 50 });
});
afterEach(() => names.stop());

test('a name that nobody asks for costs nothing', async () => {
  await delay(60);
  expect([asked, moving.open, names.status()]).toEqual([[], 0, { watched: 0, known: 0 }]);
});

test('a name that is asked for is looked up once, then watched, and no longer asked about', async () => {
  expect(await Promise.all([names.instances('web'), names.instances('web')])).toEqual([[one], [one]]);
  (await moving.next()).answer(3, [one, two]);
  await moving.next();
  await delay(60);
  expect(names.instances('web')).toEqual([one, two]);
  expect([asked, names.status()]).toEqual([['web'], { watched: 1, known: 1 }]);
});

test('a name that is not there costs no watch, however often it is asked for', async () => {
  for (let time = 0; time < 3; time++) {
    expect(await names.instances('nope')).toEqual([]);
    await delay(60);
  }
  expect([asked.length, moving.open]).toEqual([3, 0]);
});

test('names that nobody has do not push out what is known for when the registry is away', async () => {
  names = new RemoteNames(
    {
      elsewhere: {
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

test('of five thousand names 32 are watched; the others are at most so old, and asked about when asked for', async () => {
  const many = Array.from({ length: 5000 }, (_, n) => `web-${n}`);
  for (const name of many) held.set(name, [instanceAt('10.2.1.1', name)]);
  for (const name of many) expect(await names.instances(name)).toHaveLength(1);
  await delay(60);
  expect([moving.open, names.status()]).toEqual([32, { watched: 32, known: 5000 }]);
  held.set('web-4999', [two]);
  expect(await names.instances('web-4999')).toEqual([two]);
  expect(asked).toHaveLength(5001);
});

test('while the registry is away, a watched name is as it was last, and back with the registry', async () => {
  await names.instances('web');
  (await moving.next()).answer(3, [two]);
  away = true;
  (await moving.next()).fail();
  await vi.waitFor(async () => {
    expect(await names.instances('web')).toEqual([two]);
    expect(asked.length).toBeGreaterThan(1);
  });
  expect(names.lastKnown('web')).toEqual([two]);
  away = false;
  (await moving.next()).answer(1, [one]);
  await moving.next();
  expect(names.instances('web')).toEqual([one]);
});

test('answers with ten megabytes of metadata push each other out', async () => {
  const large = { ...one, service: { ...one.service, meta: { note: 'x'.repeat(5 << 20) } } };
  for (let n = 0; n < 20; n++) {
    held.set(`large-${n}`, [large]);
    await names.instances(`large-${n}`);
  }
  expect(names.status().known).toBe(6);
});
