import type { ContainerInspectInfo } from 'dockerode';
import { describe, expect, it } from 'vitest';
import { snapshotOf } from '../../src/docker/inspect.ts';
import { define } from '../../src/services/define.ts';
import { KNOWN_KEYS } from '../../src/services/environment.ts';
import { readMetadata } from '../../src/services/read-metadata.ts';
import { entryOf } from '../support/roster.ts';

const kept = readMetadata({ servicePrefix: 'SERVICE_' });
const snapshot = (env: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>> = {}) =>
  snapshotOf(
    {
      Id: 'c0ffee'.padEnd(64, '0'),
      Config: { Env: Object.entries(env).map((pair) => pair.join('=')), Labels: labels },
    } as unknown as ContainerInspectInfo,
    kept,
  );
const bomb = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`SERVICE_KEY${n}`, 'value']));
const wellKnown = [
  'heddle.cidr',
  'WEAVE_CIDR',
  ...[...KNOWN_KEYS].map((key) => `SERVICE_${key.toUpperCase()}`),
];

describe('a container with more settings than the limits', () => {
  it.each(wellKnown)('keeps its %s, as a variable and as a label', (name) => {
    expect(snapshot({ ...bomb, [name]: 'v' }).metadata.get(name)).toBe('v');
    const both = snapshot({ ...bomb, [name]: 'variable' }, { ...bomb, [name]: 'label' });
    expect(both.metadata.get(name)).toBe('label');
  });

  it.each([
    ['5,001 of them', { ...bomb, SERVICE_KEY: 'v' }, 5_001 - 4_096],
    [
      'more than 4 MiB',
      Object.fromEntries(
        Object.keys(bomb)
          .slice(0, 100)
          .map((key) => [key, 'x'.repeat(50_000)]),
      ),
      17,
    ],
    ['one that is too long', { SERVICE_KEY: 'x'.repeat(70_000) }, 1],
    ['none too many', { SERVICE_KEY: 'v' }, undefined],
    ['only unused ones', { PATH: 'x'.repeat(70_000) }, undefined],
  ])('counts the dropped ones: %s', (_, env, count) => {
    const { leftOut } = snapshot(env);
    expect(leftOut).toBe(count);
    const entry = entryOf({ ports: [80] });
    const given = leftOut === undefined ? entry : { ...entry, snapshot: { ...entry.snapshot, leftOut } };
    const { problems } = define(given, { hostId: 'h1', runs: () => true });
    expect(problems).toEqual(
      count === undefined
        ? []
        : [expect.stringMatching(`^${count} of its variables and labels are left out: more`)],
    );
  });
});
