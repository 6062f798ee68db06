import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { dataOf } from '../support/dig.ts';
import { runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/folder.ts';
import { type Daemon, startDaemon } from '../support/heddle.ts';

afterEach(() => clearWorld());

const named = (name: string) => ['-e', `SERVICE_NAME=${name}`];

/** The daemon's resident memory in MB. */
async function memory({ pid }: Daemon): Promise<number> {
  const { readFile } = await import('node:fs/promises');
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

test('a container of ten thousand ports and a list of names has 256 services, and ps reports it', async () => {
  await using daemon = await startDaemon(['--address', 'internal']);
  await using honest = await runContainer(named('honest'));
  await eventually(async () =>
    expect(dataOf(await daemon.dig('honest.service.dc1.consul'))).toEqual([await honest.address()]),
  );
  await using greedy = await runContainer([...named('a,b,c,d'), '--expose', '1-10000']);
  const services = async () => {
    const { stdout } = await daemon.command('services', '--format', 'json', greedy.name);
    return (JSON.parse(stdout) as unknown[]).length;
  };
  await eventually(async () => expect(await services()).toBe(256), { within: 15_000 });
  const { stdout } = await daemon.command('ps', greedy.name);
  expect(stdout).toMatch(/some of its services are left out, .*: more than --max-services 256/);
  expect(dataOf(await daemon.dig('honest.service.dc1.consul'))).toEqual([await honest.address()]);
});

test('megabytes of labels and variables of others cost no memory, and heddle’s keys among them count', async () => {
  await using folder = await temporaryFolder();
  const labels = join(folder.path, 'labels');
  const line = (n: number) => `junk.${n}=${'x'.repeat(1_000)}`;
  await writeFile(labels, Array.from({ length: 8_000 }, (_, n) => line(n)).join('\n'));
  await using daemon = await startDaemon(['--address', 'internal']);
  const before = await memory(daemon);
  const loaded = ['--label-file', labels, '-l', 'SERVICE_TAGS=last'];
  for (let n = 0; n < 4; n++) await runContainer([...named(`heavy${n}`), ...loaded]);
  await eventually(
    async () => {
      for (let n = 0; n < 4; n++) {
        const { stdout } = await daemon.command('services', '--format', 'json');
        expect(JSON.parse(stdout)).toHaveLength(4);
        expect(dataOf(await daemon.dig(`last.heavy${n}.service.dc1.consul`))).toHaveLength(1);
      }
    },
    { within: 20_000 },
  );
  // Thirty-two megabytes, and twice that as text, would be there if they were kept.
  await eventually(async () => expect((await memory(daemon)) - before).toBeLessThan(48), { within: 15_000 });
});
