import { globSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ROOT } from '../../scripts/root.ts';
import { hasTests, IN_WORLDS, WORLDS } from '../../scripts/test/worlds.ts';

test('every project runs in exactly one world, and every scenario in some project', () => {
  expect(WORLDS.flatMap(({ projects }) => projects).sort()).toEqual(Object.keys(IN_WORLDS).sort());
  const files = Object.values(IN_WORLDS).flatMap((project) =>
    globSync([...project.include], { cwd: ROOT, exclude: 'exclude' in project ? [...project.exclude] : [] }),
  );
  expect([...new Set(files)].sort()).toEqual(
    globSync(['test/scenarios/*.test.ts', 'test/contract/**/*.test.ts'], { cwd: ROOT }).sort(),
  );
});

test('a filter starts only the worlds that have files for it', () => {
  const started = (...filters: string[]) =>
    WORLDS.filter(({ projects }) => hasTests(projects, filters)).map(({ projects }) => projects.join());
  // A full run has more files for the other engines.
  const isFull = process.env.HEDDLE_TEST_FULL === '1';
  const [legacy, current] = isFull ? [['legacy'], ['current-names']] : [[], []];
  expect(started('300_run')).toEqual(['network', 'current-network', 'defaults-of-29', ...legacy]);
  expect(started('150_checks')).toEqual(['contract,names', ...current]);
  expect(started('nosuch')).toEqual([]);
  expect(started()).toHaveLength(WORLDS.length);
});
