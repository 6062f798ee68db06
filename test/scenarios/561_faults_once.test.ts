import { createConnection } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { startConsul } from '../support/consul.ts';
import { count } from '../support/counts.ts';
import { eventually } from '../support/eventually.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { Fleet } from '../support/fleet.ts';
import { startDaemon } from '../support/heddle.ts';
import { MachinePace } from '../support/machine-pace.ts';
import { succeed } from '../support/program.ts';
import { randomFrom } from '../support/random.ts';
import { MISDEEDS } from '../support/raw-server.ts';
import { countOfLines, expectConsistent } from '../support/truth.ts';
import { askMeanwhile } from '../support/unbroken.ts';

afterEach(() => clearWorld());

/** Each bad answer is given to so many requests in a row. */
const TIMES = 3;
/** No name waits for a fault. Delays of the machine itself are allowed on top. */
const LONGEST_GAP_MS = 250;

test('one bad answer of any kind from the engine or Consul: names are answered, and heddle recovers', async () => {
  const random = randomFrom(Number(process.env.HEDDLE_SEED ?? Date.now() % 1000));
  const all = Object.entries(MISDEEDS);
  const chosen = all.toSorted(() => random() - 0.5).slice(0, count(5, all.length));
  await using consul = await startConsul();
  await using pace = await MachinePace.start();
  await using engineProxy = await FaultProxy.ofEngine();
  await using consulProxy = await FaultProxy.start(() => createConnection(consul.httpPort, '127.0.0.1'));
  await using daemon = await startDaemon(['--registry', `consul-unix://${consulProxy.path}`], {
    DOCKER_HOST: `unix://${engineProxy.path}`,
  });
  const fleet = new Fleet('10.2.57');
  await fleet.start('stays');
  await expectConsistent({ fleet, daemon, consul });
  const [server = ''] =
    / inet ([\d.]+)\//.exec(await succeed('ip', ['-o', '-4', 'address', 'show', 'docker0']))?.slice(1) ?? [];

  const began = performance.now();
  const seen = await askMeanwhile(
    { server, name: 'stays.service.consul', address: '10.2.57.1' },
    async () => {
      let last: string | undefined;
      for (const [index, [what, deed]] of chosen.entries()) {
        for (const [place, proxy] of [
          ['engine', engineProxy],
          ['consul', consulProxy],
        ] as const) {
          proxy.arm(deed, TIMES);
          proxy.cut();
          const name = `${place}-${index}`;
          await fleet.start(name);
          if (last !== undefined) await fleet.end(last);
          last = name;
          await eventually(() => expect(proxy.left, `${place}: ${what}`).toBe(0), { within: 20_000 });
          await expectConsistent({ fleet, daemon, consul }, 20_000).catch((cause: unknown) => {
            throw new Error(`after ${what} of ${place}: ${(cause as Error).message}`, { cause });
          });
        }
      }
    },
  );
  const machine = Math.round(pace.longestGapSince(began));
  console.log(
    `faults: ${chosen.length} misdeeds, longest time between two answers ${seen.longestGap} ms, an echo's ${machine} ms`,
  );
  expect(seen.wrong).toBe(0);
  expect(seen.longestGap).toBeLessThanOrEqual(LONGEST_GAP_MS + machine);
  expect(countOfLines(daemon, /^unexpected failure/), daemon.output).toBe(0);
  expect(await daemon.stop()).toBe(0);
});
