import { expect, test } from 'vitest';
import type { Snapshot } from '../../src/docker/snapshot.ts';
import { mayHaveFailed } from '../../src/services/exit.ts';
import { snapshot } from '../support/snapshot.ts';

const ended = { running: false, pid: 0 };

test.each<[string, Partial<Snapshot>, boolean]>([
  ['runs', {}, false],
  ['is paused', { running: false, paused: true }, false],
  ['ended well', { ...ended, exitCode: 0 }, false],
  ['ended with an error', { ...ended, exitCode: 3 }, true],
  ['was killed', { ...ended, exitCode: 137 }, false],
  ['died by TERM', { ...ended, exitCode: 143 }, false],
  ['ended, its status not known yet', { ...ended, exitCode: null }, true],
])('a container that %s: %j', (_, state, failed) => {
  expect(mayHaveFailed(snapshot('c', state))).toBe(failed);
});
