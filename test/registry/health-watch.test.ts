import { expect, test } from 'vitest';
import { silentLogger } from '../../src/log.ts';
import { Desired } from '../../src/registry/desired.ts';
import { HealthWatch } from '../../src/registry/health-watch.ts';
import { entryOf } from '../support/roster.ts';
import { containerId } from '../support/snapshot.ts';

function rig() {
  const desired = new Desired({ log: silentLogger }, { hostId: 'h1', runs: () => true });
  const kept = new Set<string>();
  const names = { keep: (name: string) => kept.add(name), release: (name: string) => kept.delete(name) };
  const watch = new HealthWatch({ desired, names });
  watch.start();
  const run = (digits: string, name: string, check = 'TCP') =>
    desired.set(
      entryOf({
        id: containerId(digits),
        ports: [80],
        env: { SERVICE_NAME: name, [`SERVICE_CHECK_${check}`]: '10s' },
      }),
    );
  return { desired, watch, kept, run };
}

test('a name whose checks an agent runs is watched until its last service goes', () => {
  const { desired, kept, run } = rig();
  run('a', 'Web');
  run('b', 'web');
  expect([...kept]).toEqual(['web']);
  desired.delete(containerId('a'));
  expect([...kept]).toEqual(['web']);
  desired.delete(containerId('b'));
  expect([...kept]).toEqual([]);
});

test('a service that gets another name takes the watch along', () => {
  const { kept, run } = rig();
  run('a', 'web');
  run('a', 'shop');
  expect([...kept]).toEqual(['shop']);
});

test('checks that heddle tells itself need no watch', () => {
  const { kept, run } = rig();
  run('a', 'web', 'TTL');
  expect([...kept]).toEqual([]);
  run('b', 'shop');
  run('b', 'shop', 'TTL');
  expect([...kept]).toEqual([]);
});

test('what changes after the end is not watched', async () => {
  const { watch, kept, run } = rig();
  await watch.stop();
  run('a', 'web');
  expect([...kept]).toEqual([]);
});
