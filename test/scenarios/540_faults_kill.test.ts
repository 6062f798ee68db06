import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { clearWorld, leftOnHost } from '../support/cleanup.ts';
import { startConsul } from '../support/consul.ts';
import { count } from '../support/counts.ts';
import { eventually } from '../support/eventually.ts';
import { Fleet } from '../support/fleet.ts';
import { startDaemon } from '../support/heddle.ts';
import { memoryOf, SLACK_MIB } from '../support/memory.ts';
import { randomFrom, seeds } from '../support/random.ts';
import { expectConsistent } from '../support/truth.ts';

afterEach(() => clearWorld());

const CONTAINERS = 40;
/** Containers that come or go at the same time. */
const AT_ONCE = 10;

test.each(seeds(count(2, 20)))(
  'heddle is killed with -9 at random moments while forty containers come and go (seed %i)',
  async (seed) => {
    const random = randomFrom(seed);
    await using consul = await startConsul();
    await using daemon = await startDaemon(['--registry', consul.uri]);
    const fleet = new Fleet('10.2.54');

    const moves = Array.from({ length: CONTAINERS }, (_, index) => ({
      name: `s${seed}-${index}`,
      stays: random() < 0.5,
      waits: random() * 500,
    }));
    let over = false;
    const coming = Promise.all(
      Array.from({ length: AT_ONCE }, async (_, lane) => {
        for (let index = lane; index < CONTAINERS; index += AT_ONCE) {
          const { name, stays, waits } = moves[index] as (typeof moves)[number];
          await fleet.start(name);
          await sleep(waits);
          if (!stays) await fleet.end(name);
        }
      }),
    ).finally(() => {
      over = true;
    });
    let kills = 0;
    while (!over) {
      await sleep(random() * 1200);
      await daemon.kill();
      kills++;
      await sleep(random() * 300);
      await daemon.start();
    }
    await coming;
    await expectConsistent({ fleet, daemon, consul });
    expect(kills).toBeGreaterThan(0);
    const ends = async () => (await leftOnHost()).filter((name) => name.startsWith('vethwl'));
    const running = await fleet.running();
    await eventually(async () => expect(await ends()).toHaveLength(running.length));
  },
);

test('heddle is frozen for seconds while containers come and go', async () => {
  await using consul = await startConsul();
  await using daemon = await startDaemon(['--registry', consul.uri]);
  const fleet = new Fleet('10.2.54');
  const names = (prefix: string) => Array.from({ length: 10 }, (_, index) => `${prefix}-${index}`);
  await fleet.startAll([...names('stays'), ...names('goes')]);
  await expectConsistent({ fleet, daemon, consul });
  const memory = memoryOf(daemon.pid);
  const lines = daemon.log.length;
  process.kill(daemon.pid, 'SIGSTOP');
  await Promise.all([sleep(1000 * count(2, 5)), fleet.end(...names('goes')), fleet.startAll(names('comes'))]);
  process.kill(daemon.pid, 'SIGCONT');
  await expectConsistent({ fleet, daemon, consul });
  expect(daemon.log.slice(lines)).toEqual([]);
  expect(memoryOf(daemon.pid)).toBeLessThan(memory + SLACK_MIB);
});
