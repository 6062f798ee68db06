import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { type ConsulAgent, type HealthEntry, startConsul } from '../support/consul.ts';
import { type Container, docker, removeContainers } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { type Daemon, startDaemon } from '../support/heddle.ts';

const NETWORK = 'further';

let consul: ConsulAgent;
let daemon: Daemon;

beforeAll(async () => {
  consul = await startConsul();
  daemon = await startDaemon(['--registry', consul.uri]);
  await docker('network', 'create', NETWORK);
});
afterEach(removeContainers);
afterAll(async () => {
  await daemon?.[Symbol.asyncDispose]();
  await consul?.stop();
  await clearWorld();
  await docker('network', 'rm', NETWORK);
});

const entries = (name: string) => consul.get<HealthEntry[]>(`/v1/health/service/${name}`);

/** Every state of a service that a watcher (a blocking query) is told of, from now on: `10.2.1.1, 10.2.1.2 critical`. */
async function watch(name: string) {
  const states: string[] = [];
  const over = new AbortController();
  const watching = (async () => {
    let index = '0';
    while (!over.signal.aborted) {
      const url = `${consul.url}/v1/health/service/${name}?index=${index}&wait=10s`;
      const response = await fetch(url, { signal: over.signal });
      index = response.headers.get('x-consul-index') ?? '0';
      const state = stateOf((await response.json()) as HealthEntry[]);
      if (state !== states.at(-1)) states.push(state);
    }
  })().catch((error: unknown) => {
    if (!over.signal.aborted) throw error;
  });
  const sees = (state: string) => eventually(() => expect(states.at(-1)).toBe(state), { within: 10_000 });
  const stop = async () => {
    over.abort();
    await watching;
    return states;
  };
  await eventually(() => expect(states).not.toEqual([]));
  return { sees, stop };
}

function stateOf(instances: readonly HealthEntry[]): string {
  const words = instances.map(({ Service, Checks }) => {
    const failing = Checks.find(({ Status }) => Status !== 'passing');
    return failing === undefined ? Service.Address : `${Service.Address} ${failing.Status}`;
  });
  return words.sort().join(', ');
}

/** Whatever happens to a container and changes nothing of its service. */
async function disturb(container: Container): Promise<void> {
  await docker('rename', container.id, `again-${container.name}`);
  await docker('network', 'connect', NETWORK, container.id);
  await docker('network', 'disconnect', NETWORK, container.id);
  await docker('update', '--cpu-shares', '512', container.id);
}

test('a watcher is told nothing of what changes nothing: renames, networks, full passes, restarts and a crash of heddle', async () => {
  await using web = await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=web', '--expose', '80']);
  await eventually(async () => expect(stateOf(await entries('web'))).toBe('10.2.1.1'));
  const [before] = await entries('web');
  const watcher = await watch('web');
  await disturb(web);
  process.kill(daemon.pid, 'SIGHUP');
  await eventually(() => expect(daemon.said('told by SIGHUP to look at everything')).toBe(true));
  await daemon.restart();
  await daemon.kill();
  await daemon.start();
  await sleep(500);
  expect((await entries('web')).map(({ Service }) => Service)).toEqual([before?.Service]);

  // What is corrected, in place: a second address goes unseen, and the loss of the first one changes the entry.
  expect((await daemon.word('attach', '10.2.1.2/16', web.id)).status).toBe(0);
  expect((await daemon.word('detach', '10.2.1.1/16', web.id)).status).toBe(0);
  await watcher.sees('10.2.1.2');
  const [after] = await entries('web');
  const { ID, CreateIndex, ModifyIndex = 0 } = before?.Service ?? {};
  expect(after?.Service).toMatchObject({ ID, CreateIndex });
  expect(after?.Service.ModifyIndex).toBeGreaterThan(ModifyIndex);
  expect(await watcher.stop()).toEqual(['10.2.1.1', '10.2.1.2']);
});

test('a watcher is told of each change of a container once, and nothing of its neighbour', async () => {
  const ill = '--health-cmd=test ! -f /ill --health-interval=1s --health-retries=1'.split(/ (?=--)/);
  await using patient = await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=busy', ...ill]);
  await using other = await daemon.run(['10.2.1.2/16'], ['-e', 'SERVICE_NAME=busy']);
  const both = '10.2.1.1, 10.2.1.2';
  await eventually(async () => expect(stateOf(await entries('busy'))).toBe(both), { within: 10_000 });

  const watcher = await watch('busy');
  await docker('pause', other.id);
  await watcher.sees('10.2.1.1');
  await docker('unpause', other.id);
  await watcher.sees(both);
  await docker('restart', '--time', '0', other.id);
  await watcher.sees(both);
  await patient.exec('touch', '/ill');
  await watcher.sees('10.2.1.1 critical, 10.2.1.2');
  await Promise.all([disturb(patient), daemon.restart()]);
  await patient.exec('rm', '/ill');
  await watcher.sees(both);
  await other.kill();
  await watcher.sees('10.2.1.1');
  expect(await watcher.stop()).toEqual([
    ...[both, '10.2.1.1'], // paused
    ...[both, '10.2.1.1'], // restarted
    ...[both, '10.2.1.1 critical, 10.2.1.2'],
    ...[both, '10.2.1.1'],
  ]);
});
