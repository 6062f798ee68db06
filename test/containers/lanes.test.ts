import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Lanes } from '../../src/containers/lanes.ts';

const OPTIONS = { lanes: 2, slowLanes: 1, lingeringMs: 5, slowMs: 20 };
const hanging = () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { until: promise, end: resolve };
};

describe('lanes', () => {
  it('are given back by slow inspections, which go on without one', async () => {
    const lanes = new Lanes(OPTIONS);
    const { until, end } = hanging();
    const slow = Array.from({ length: 20 }, (_, index) =>
      lanes.run(`slow ${index}`, async (lingers) => {
        lingers();
        await until;
      }),
    );
    const honest = lanes.run('honest', async () => {});
    await honest; // within 20 / 2 × 5 ms, and not after those
    end();
    await Promise.all(slow);
    await lanes.onIdle();
  });

  it('are kept while the container does not control the duration', async () => {
    const lanes = new Lanes(OPTIONS);
    const { until, end } = hanging();
    let begun = 0;
    const looks = Array.from({ length: 5 }, (_, index) =>
      lanes.run(`c${index}`, async () => {
        begun++;
        await until;
      }),
    );
    await sleep(30);
    expect(begun).toBe(2);
    end();
    await Promise.all(looks);
    expect(begun).toBe(5);
  });

  it('are few for containers that were slow, until they are fast again', async () => {
    const lanes = new Lanes(OPTIONS);
    const wait = (ms: number) => async (lingers: () => void) => {
      lingers();
      await sleep(ms);
    };
    const names = ['a', 'b', 'c'];
    await Promise.all(names.map((name) => lanes.run(name, wait(30))));
    let most = 0;
    let running = 0;
    const counted = async (lingers: () => void) => {
      most = Math.max(most, ++running);
      await wait(8)(lingers);
      running--;
    };
    await Promise.all(names.map((name) => lanes.run(name, counted)));
    expect(most).toBe(1);
    most = 0;
    await Promise.all(names.map((name) => lanes.run(name, counted)));
    expect(most).toBeGreaterThan(1);
  });

  it('pass on what an inspection throws, and go on', async () => {
    const lanes = new Lanes(OPTIONS);
    await expect(
      lanes.run('a', async () => {
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await expect(lanes.run('a', async () => {})).resolves.toBeUndefined();
    await lanes.onIdle();
  });
});
