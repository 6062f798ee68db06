import { describe, expect, test } from 'vitest';
import { Desired } from '../../src/registry/reconcile/desired.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { define } from '../../src/services/define.ts';
import { entryOf } from '../support/roster.ts';
import { containerId } from '../support/snapshot.ts';

const options = { hostId: 'h1', runs: () => true };
const portsUpTo = (most: number) => Array.from({ length: most }, (_, n) => n + 1);
const services = (env: Record<string, string>, ports: readonly number[], more: object = {}) => {
  const { definitions, problems } = define(entryOf({ env, ports }), { ...options, ...more });
  return { services: definitions.map(({ service }) => service), problems };
};

describe('one container', () => {
  test.each([
    [256, {}, undefined],
    [
      257,
      {},
      'some of its services are left out, web-257 and those of 0 further ports: more than --max-services 256',
    ],
    [8_192, {}, 'web-257 and those of 7935 further ports'],
    [8_192, { SERVICE_NAME: 'a,b,c,d,e,f,g,h' }, 'a-33 and those of 8159 further ports'],
  ])('of %i ports and %j has 256 services at most', (count, env, problem) => {
    const { services: found, problems } = services({ SERVICE_NAME: 'web', ...env }, portsUpTo(count));
    expect(found).toHaveLength(256);
    expect(problems).toEqual(problem === undefined ? [] : [expect.stringContaining(problem)]);
  });

  test('may have more or fewer by a setting', () => {
    expect(services({}, portsUpTo(3), { maxServices: 1 }).services).toHaveLength(1);
    expect(services({}, portsUpTo(3_000), { maxServices: 2_000 }).services).toHaveLength(2_000);
  });

  test.each([
    ['tags', { SERVICE_TAGS: `${'x'.repeat(4_000)},`.repeat(8) }],
    ['Meta', Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`SERVICE_K${n}`, 'x'.repeat(500)]))],
    [
      'headers of checks',
      { SERVICE_CHECK_HTTP: '/', SERVICE_CHECK_HTTP_HEADER: `X-A: ${'x'.repeat(8_000)}` },
    ],
  ])('of many ports has a bounded size, whatever %s it brings', (_, env) => {
    const { services: found, problems } = services(env as Record<string, string>, portsUpTo(256));
    expect(JSON.stringify(found).length).toBeLessThan(1.2e6);
    expect(found.length).toBeGreaterThan(10);
    expect(problems[0]).toMatch(/longer than 1048576 characters/);
  });
});

describe('a container of many services', () => {
  const id = containerId('a');
  const large = (env: Record<string, string> = {}, more: object = {}) =>
    entryOf({ id, env: { SERVICE_NAME: 'web', ...env }, ports: portsUpTo(2_000), ...more });
  const desiredOf = () => new Desired({ log: silentLogger }, { ...options, maxServices: 2_000 });

  test('is defined in steps between other work', async () => {
    const desired = desiredOf();
    let turns = 0;
    let isDone = false;
    const count = () => {
      turns++;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    desired.set(large());
    desired.set(entryOf({ id: containerId('b'), env: { SERVICE_NAME: 'small' } }));
    // A small container is defined at once.
    expect(desired.byName('small')).toHaveLength(1);
    expect(desired.size).toBe(1);
    await desired.whenDefined();
    isDone = true;
    expect(desired.size).toBe(2_001);
    expect(turns).toBeGreaterThan(50);
  });

  test('has the last state that was set, or is removed', async () => {
    const desired = desiredOf();
    desired.set(large({ SERVICE_TAGS: 'old' }));
    desired.set(large({ SERVICE_TAGS: 'new' }));
    await desired.whenDefined();
    expect(desired.byName('web-2000')).toMatchObject([{ tags: ['new'] }]);
    desired.set(large({ SERVICE_TAGS: 'newer' }));
    desired.set(large({}, { running: false }));
    expect(desired.size).toBe(0);
    await desired.whenDefined();
    expect(desired.size).toBe(0);
    desired.set(large());
    desired.delete(id);
    await desired.whenDefined();
    expect(desired.size).toBe(0);
  });
});
