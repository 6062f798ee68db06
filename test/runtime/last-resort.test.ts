import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ROOT } from '../../scripts/root.ts';
import { surviveFailures, surviveOutput } from '../../src/runtime/last-resort.ts';
import { createLogger } from '../../src/runtime/log.ts';

let lines: { msg: string; code?: string; error?: string; stack?: string; level: number }[];
let healed: number;
let source: EventEmitter;
let lastResort: ReturnType<typeof surviveFailures>;

beforeEach(() => {
  vi.useFakeTimers();
  [lines, healed, source] = [[], 0, new EventEmitter()];
  const out = { write: (line: string) => lines.push(JSON.parse(line)) };
  const log = createLogger({ level: 'info', pretty: false }, out);
  lastResort = surviveFailures({ log, source, rescan: () => healed++ });
});
afterEach(() => {
  lastResort.stop();
  vi.useRealTimers();
});

it('logs an uncaught failure with its code and stack, and scans once', async () => {
  source.emit('unhandledRejection', Object.assign(new Error('no space'), { code: 'ENOSPC' }));
  source.emit('uncaughtException', 'just a text');
  expect(lines).toMatchObject([
    { level: 50, code: 'ENOSPC', error: 'no space', stack: expect.stringContaining('last-resort.test.ts') },
    { level: 50, error: 'just a text' },
  ]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(healed).toBe(1);
});

it('bounds log lines and scans if failures come in a loop', async () => {
  for (let second = 0; second < 120; second++) {
    for (let each = 0; each < 100; each++) source.emit('uncaughtException', new Error('again'));
    await vi.advanceTimersByTimeAsync(1_000);
  }
  expect(lines.length).toBeGreaterThanOrEqual(20);
  expect(lines.length).toBeLessThanOrEqual(30);
  expect(lines[9]?.msg).toMatch(/further failures are not logged for a minute$/);
  expect(healed).toBeGreaterThanOrEqual(2);
  expect(healed).toBeLessThanOrEqual(3);
});

it('removes its listeners at a stop', () => {
  lastResort.stop();
  expect(source.eventNames()).toEqual([]);
});

it('a stream that fails once can be written to again', () => {
  const stream = new EventEmitter().on('error', () => expect.unreachable());
  surviveOutput([stream]);
  stream.emit('error', new Error('EPIPE'));
});

it('a process survives a rejection, an exception in a timer, an error event and a closed pipe', async () => {
  vi.useRealTimers();
  const program = `
    import { surviveFailures, surviveOutput } from ${JSON.stringify(join(ROOT, 'src/runtime/last-resort.ts'))};
    import { createLogger } from ${JSON.stringify(join(ROOT, 'src/runtime/log.ts'))};
    import { EventEmitter } from 'node:events';
    const log = createLogger({ level: 'info', pretty: false }, process.stderr);
    surviveOutput([process.stdout, process.stderr]);
    surviveFailures({ log, heal: () => {} });
    Promise.reject(new Error('rejected'));
    setTimeout(() => { throw new Error('thrown'); }, 5);
    setTimeout(() => new EventEmitter().emit('error', new Error('emitted')), 10);
    const writing = setInterval(() => process.stdout.write('x'.repeat(100_000)), 5);
    setTimeout(() => { clearInterval(writing); process.exit(7); }, 400);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [status] = await once(child, 'close');
  expect({ status, said }).toMatchObject({ status: 7 });
  for (const word of ['rejected', 'thrown', 'emitted']) expect(said).toContain(`"error":"${word}"`);
});
