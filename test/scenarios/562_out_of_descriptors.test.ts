import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { startConsul } from '../support/consul.ts';
import { count } from '../support/counts.ts';
import { runContainer } from '../support/engine.ts';
import { Fleet } from '../support/fleet.ts';
import { startDaemon } from '../support/heddle.ts';
import { MachinePace } from '../support/machine-pace.ts';
import { succeed } from '../support/program.ts';
import { countOfLines, expectConsistent } from '../support/truth.ts';
import { askMeanwhile } from '../support/unbroken.ts';

afterEach(() => clearWorld());

/** Delays of the machine itself are allowed on top. */
const LONGEST_GAP_MS = 250;

test('a daemon without free descriptors answers names, and recovers when it gets some', async () => {
  await using consul = await startConsul();
  await using pace = await MachinePace.start();
  await using daemon = await startDaemon(['--registry', consul.uri]);
  await using other = await runContainer();
  const fleet = new Fleet('10.2.58');
  await fleet.startAll(['stays', 'goes']);
  await expectConsistent({ fleet, daemon, consul });
  const [server = ''] =
    / inet ([\d.]+)\//.exec(await succeed('ip', ['-o', '-4', 'address', 'show', 'docker0']))?.slice(1) ?? [];
  const limit = (files: number) => succeed('prlimit', ['--pid', String(daemon.pid), `--nofile=${files}:`]);

  const began = performance.now();
  const seen = await askMeanwhile(
    { server, name: 'stays.service.consul', address: '10.2.58.1' },
    async () => {
      for (let round = 0; round < count(2, 10); round++) {
        const highest = Math.max(...readdirSync(`/proc/${daemon.pid}/fd`).map(Number));
        // Descriptors at hand may be reused; each round leaves fewer of them.
        await limit(Math.max(8, highest + 1 - 4 * round));
        await fleet.start(`comes-${round}`);
        await fleet.end(round === 0 ? 'goes' : `comes-${round - 1}`);
        // Descriptors freed meanwhile may be enough for the command; it is never half done.
        const { status, stdout, stderr } = await daemon.command('attach', '10.2.58.200/16', other.name);
        const has = await other.exec('ip', 'address', 'show');
        if (status === 0) expect(has).toContain('10.2.58.200/16');
        else {
          expect(stdout).toBe('');
          expect(stderr).toMatch(/^heddle: [^\n]+\n$/);
          expect(has).not.toContain('10.2.58.200');
        }
        await delay(2_000);
        await limit(1_024);
        for (const command of ['attach', 'detach']) {
          expect(await daemon.command(command, '10.2.58.200/16', other.name)).toMatchObject({
            status: 0,
            stderr: '',
          });
        }
        await expectConsistent({ fleet, daemon, consul }, 20_000);
      }
    },
  );
  const machine = Math.round(pace.longestGapSince(began));
  console.log(
    `no descriptor: longest time between two answers ${seen.longestGap} ms, an echo's ${machine} ms`,
  );
  expect(seen.wrong, daemon.output).toBe(0);
  expect(seen.longestGap).toBeLessThanOrEqual(LONGEST_GAP_MS + machine);
  expect(countOfLines(daemon, /^unexpected failure/), daemon.output).toBe(0);
  expect(await daemon.stop()).toBe(0);
});
