import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { type ConsulAgent, startConsul } from '../support/consul.ts';
import { killEngine, restartEngine, startEngine, stopEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { Fleet } from '../support/fleet.ts';
import { type Daemon, startDaemon } from '../support/heddle.ts';
import { memoryOf, SLACK_MIB } from '../support/memory.ts';
import { countOfLines, expectConsistent } from '../support/truth.ts';

interface Places {
  readonly daemon: Daemon;
  readonly fleet: Fleet;
  readonly consul: ConsulAgent;
}

const eight = Array.from({ length: 8 }, (_, index) => `lives-${index}`);

afterEach(() => clearWorld());

/** The daemon follows the engine again, has logged it once, and uses no more memory than before. */
async function follows(places: Places, memory: number): Promise<void> {
  const { daemon, fleet, consul } = places;
  await expectConsistent({ fleet, daemon, consul });
  await fleet.startAll(['afterwards-0', 'afterwards-1']);
  await expectConsistent({ fleet, daemon, consul });
  await eventually(() => {
    expect(countOfLines(daemon, /^lost the stream of Docker events/), daemon.output).toBe(1);
    expect(countOfLines(daemon, /^Docker is back/), daemon.output).toBe(1);
  });
  expect(memoryOf(daemon.pid)).toBeLessThan(memory + SLACK_MIB);
}

test('dockerd is restarted, and its containers end with it', async () => {
  await using consul = await startConsul();
  await using daemon = await startDaemon(['--registry', consul.uri]);
  const fleet = new Fleet('10.2.52');
  await fleet.startAll(eight);
  await expectConsistent({ fleet, daemon, consul });
  const memory = memoryOf(daemon.pid);
  await restartEngine();
  expect(await fleet.running()).toEqual([]);
  await follows({ daemon, fleet, consul }, memory);
});

describe('containers that live on without dockerd', () => {
  beforeAll(() => restartEngine(['--live-restore']));
  afterAll(() => restartEngine());

  test.each([
    ['stopped', stopEngine],
    ['killed with -9', killEngine],
  ])('are answered while dockerd is %s, except those that end meanwhile', async (_, end) => {
    await using consul = await startConsul();
    await using daemon = await startDaemon(['--registry', consul.uri]);
    const fleet = new Fleet('10.2.52');
    await fleet.startAll(eight);
    await expectConsistent({ fleet, daemon, consul });
    const memory = memoryOf(daemon.pid);
    const running = await fleet.running();
    const pid = await fleet.pid('lives-7');
    await end();
    process.kill(pid, 'SIGKILL');
    const left = running.filter((line) => !line.startsWith('lives-7 '));
    await expectConsistent({ fleet: { names: eight, running: async () => left }, daemon, consul });
    await startEngine(['--live-restore']);
    expect(await fleet.running()).toEqual(left);
    await follows({ daemon, fleet, consul }, memory);
  });
});
