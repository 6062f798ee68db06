import { afterEach, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { startConsul } from '../support/consul.ts';
import { count } from '../support/counts.ts';
import { engineApi } from '../support/engine-api.ts';
import { eventually } from '../support/eventually.ts';
import { startDaemon } from '../support/heddle.ts';

afterEach(() => clearWorld());

/** So many that the small container would come last if it had to wait for them. */
const PORTS = count(500, 2000);
/** An agent takes some twenty registrations a second on a busy machine. */
const ALL_WITHIN_MS = count(60_000, 300_000);
const SMALL = ['-e', 'SERVICE_NAME=small', '--expose', '80'];

test(
  'a container with many ports delays no other one in Consul, neither a start nor an end',
  async () => {
    await using consul = await startConsul();
    await using daemon = await startDaemon(['--registry', consul.uri, '--max-services', '4096']);
    await using dying = await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=dying', '--expose', '80']);
    const names = async () => (await consul.get<Record<string, unknown>>('/v1/catalog/services')) ?? {};
    const held = async () => Object.keys(await consul.services()).length;
    await eventually(async () => expect(await names()).toHaveProperty('dying'));
    const aloneFrom = performance.now();
    await using _alone = await daemon.run(['10.2.1.4/16'], ['-e', 'SERVICE_NAME=alone', '--expose', '80']);
    await eventually(async () => expect(await names()).toHaveProperty('alone'), { every: 20 });
    const alone = performance.now() - aloneFrom;
    const ports = Array.from({ length: PORTS }, (_, n) => ['--expose', `${1000 + n}`]).flat();
    const started = daemon.run(['10.2.1.2/16'], ['-e', 'SERVICE_NAME=big', ...ports]);
    await eventually(async () => expect(await held()).toBeGreaterThan(20), { within: 30_000, every: 20 });
    const begin = performance.now();
    const small = daemon.run(['10.2.1.3/16'], SMALL);
    await engineApi('POST', `/containers/${dying.id}/kill`);
    await eventually(async () => expect(await names()).not.toHaveProperty('dying'), {
      within: 20_000,
      every: 20,
    });
    const gone = performance.now() - begin;
    await eventually(async () => expect(await names()).toHaveProperty('small'), {
      within: 20_000,
      every: 20,
    });
    const there = performance.now() - begin;
    const before = await held();
    console.info(
      `turns: ${PORTS} ports; the end ${gone | 0} ms, the start ${there | 0} ms (alone ${alone | 0} ms), ${before} held by then`,
    );
    // That is sure on any machine: both were written while most of the others were still waiting.
    expect(before).toBeLessThan(PORTS);
    await using _small = await small;
    await using _big = await started;
    await eventually(async () => expect(await held()).toBe(PORTS + 2), { within: ALL_WITHIN_MS });
  },
  2 * ALL_WITHIN_MS,
);
