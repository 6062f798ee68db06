import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { startConsul } from '../support/consul.ts';
import { count } from '../support/counts.ts';
import { engineApi } from '../support/engine-api.ts';
import { EngineProxy } from '../support/engine-proxy.ts';
import { eventually } from '../support/eventually.ts';
import { Fleet } from '../support/fleet.ts';
import { startDaemon } from '../support/heddle.ts';
import { memoryOf, SLACK_MIB } from '../support/memory.ts';
import { randomFrom, seeds } from '../support/random.ts';
import { countOfLines, expectConsistent } from '../support/truth.ts';

afterEach(() => clearWorld());

const ten = (prefix: string) => Array.from({ length: 10 }, (_, index) => `${prefix}-${index}`);
/** Two go and two come. */
const movesOf = (fleet: Fleet, round: number) =>
  [2 * round, 2 * round + 1].flatMap((index) => [fleet.end(`goes-${index}`), fleet.start(`comes-${index}`)]);
const LOST = /^lost the stream of Docker events/;
const BACK = /^Docker is back/;

test.each(seeds(count(1, 5)))(
  'the stream of events is cut in the middle of lines, again and again (seed %i)',
  async (seed) => {
    const random = randomFrom(seed);
    await using proxy = await EngineProxy.start();
    await using consul = await startConsul();
    await using daemon = await startDaemon(['--registry', consul.uri], { DOCKER_HOST: proxy.address });
    const fleet = new Fleet('10.2.53');
    await fleet.startAll(ten('goes'));
    await expectConsistent({ fleet, daemon, consul });
    const memory = memoryOf(daemon.pid);
    for (let round = 0; round < 5; round++) {
      // The events of two ending and two starting containers are longer than this.
      proxy.cutAfter([1 + Math.floor(random() * 1500)]);
      await Promise.all(movesOf(fleet, round));
      await eventually(() => {
        expect([countOfLines(daemon, LOST), countOfLines(daemon, BACK)], daemon.output).toEqual([
          round + 1,
          round + 1,
        ]);
      });
    }
    expect(proxy.cuts).toBe(5);
    await expectConsistent({ fleet, daemon, consul });
    expect(memoryOf(daemon.pid)).toBeLessThan(memory + SLACK_MIB);
  },
);

test('a thousand unrelated and broken events a second hide no container event', async () => {
  await using proxy = await EngineProxy.start();
  await using consul = await startConsul();
  await using daemon = await startDaemon(['--registry', consul.uri], { DOCKER_HOST: proxy.address });
  const fleet = new Fleet('10.2.53');
  await fleet.startAll(ten('goes'));
  await expectConsistent({ fleet, daemon, consul });
  const memory = memoryOf(daemon.pid);
  const lines = daemon.log.length;

  const flooding = new AbortController();
  const flood = (async () => {
    for (let turn = 0; !flooding.signal.aborted; turn++) {
      proxy.inject(Array.from({ length: 100 }, (_, index) => floodLine(turn * 100 + index)));
      await engineApi('POST', `/images/busybox/tag?repo=flood&tag=t${turn % 20}`);
      await sleep(100);
    }
  })();
  for (let round = 0; round < 5; round++) await Promise.all(movesOf(fleet, round));
  await expectConsistent({ fleet, daemon, consul });
  flooding.abort();
  await flood;
  for (let tag = 0; tag < 20; tag++) await engineApi('DELETE', `/images/flood:t${tag}`).catch(() => {});
  expect(daemon.log.slice(lines).map(({ msg }) => msg)).toEqual([]);
  expect(memoryOf(daemon.pid)).toBeLessThan(memory + 60);
});

/** Events of other objects, unknown events, invalid JSON; every tenth names a container that does not exist. */
function floodLine(number: number): string {
  const id = number.toString(16).padStart(64, '0');
  const time = { time: Math.floor(Date.now() / 1000), timeNano: Date.now() * 1e6 };
  switch (number % 10) {
    case 0:
      return JSON.stringify({ Type: 'container', Action: 'start', Actor: { ID: id }, ...time });
    case 1:
      return '{"Type":"container","Action":"die","Actor":';
    case 2:
      return JSON.stringify(null);
    case 3:
      return JSON.stringify({ Type: 'image', Action: 'pull', Actor: { ID: 'busybox' }, ...time });
    case 4:
      return JSON.stringify({ Type: 'network', Action: 'create', Actor: { ID: id }, ...time });
    default:
      return JSON.stringify({ Type: 'volume', Action: 'mount', Actor: { Attributes: {} }, ...time });
  }
}
