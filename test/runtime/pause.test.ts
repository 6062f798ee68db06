import { expect, test } from 'vitest';
import { pause } from '../../src/runtime/pause.ts';

const LONG_MS = 600_000;

test('a pause lasts as long as requested', async () => {
  const begun = performance.now();
  await pause(20, new AbortController().signal);
  expect(performance.now() - begun).toBeGreaterThanOrEqual(19);
});

test('a pause ends as soon as its signal aborts', async () => {
  const stopping = new AbortController();
  const paused = pause(LONG_MS, stopping.signal);
  stopping.abort();
  await expect(paused).resolves.toBeUndefined();
});

test('a pause whose signal has aborted before does not begin', async () => {
  await expect(pause(LONG_MS, AbortSignal.abort())).resolves.toBeUndefined();
});
