import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { IN_WORLDS, type TestProject } from './scripts/test/worlds.ts';

/** Scenarios are numbered by area, and run in that order. */
class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((one, other) => (one.moduleId < other.moduleId ? -1 : 1));
  }
}

const inWorld = ([name, { include, exclude = [] }]: [string, TestProject]) => ({
  test: {
    name,
    fileParallelism: false,
    include: [...include],
    exclude: [...exclude],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});

/**
 * `unit` needs nothing but Node. All else needs the real parts and runs inside the worlds that scripts/test.ts makes
 * (scripts/test/worlds.ts says which files run beside which engine), one file after the other, however many processors
 * there are: a world has one engine, one bridge and one port of each number. Timeouts are loose because the machine is
 * shared, and no test measures speed.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: ByName },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/contract/**', 'test/scenarios/**'],
          // Half as many again as there are processors: a third of the time they wait.
          maxWorkers: Math.ceil(1.5 * availableParallelism()),
          // The large counts of a full run take a test minutes.
          testTimeout: process.env.HEDDLE_TEST_FULL === '1' ? 600_000 : 20_000,
        },
      },
      ...Object.entries(IN_WORLDS).map(inWorld),
    ],
  },
});
