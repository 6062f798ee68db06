import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Result } from '../../src/checks/probe.ts';
import { CheckRunner } from '../../src/checks/runner.ts';
import { EmbeddedRegistry } from '../../src/registry/embedded.ts';
import { Desired } from '../../src/registry/reconcile/desired.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import type { Check } from '../../src/services/service.ts';
import { entryOf } from '../support/roster.ts';
import { containerId } from '../support/snapshot.ts';

const registry = new EmbeddedRegistry();
const env = { SERVICE_NAME: 'web', SERVICE_CHECK_HTTP: '/', SERVICE_CHECK_INTERVAL: '10s' };
let desired: Desired;
let runner: CheckRunner;
let result: Result;
const probe = vi.fn(async (_check: Check, _signal: AbortSignal): Promise<Result> => result);

const run = (digits: string | number, more: object = {}) =>
  desired.set(entryOf({ id: containerId(digits), ports: [80], env, ...more }));
const statuses = () => desired.byName('web').map(({ checks }) => checks.map(({ status }) => status));

beforeEach(() => {
  vi.useFakeTimers();
  probe.mockClear();
  result = { status: 'passing', output: '' };
  desired = new Desired({ log: silentLogger }, { hostId: 'h1', runs: (kind) => registry.runs(kind) });
  runner = new CheckRunner({ desired, log: silentLogger, probe });
  runner.start();
});

afterEach(async () => {
  await runner.stop();
  vi.useRealTimers();
});

test('a check is run soon, and then at its interval', async () => {
  run('a');
  expect(statuses()).toEqual([[undefined]]);
  await vi.advanceTimersByTimeAsync(500);
  expect(statuses()).toEqual([['passing']]);
  expect(probe).toHaveBeenCalledTimes(1);
  result = { status: 'critical', output: '' };
  await vi.advanceTimersByTimeAsync(60_000);
  expect(statuses()).toEqual([['critical']]);
  expect(probe.mock.calls.length).toBeGreaterThan(5);
  expect(probe.mock.calls.length).toBeLessThan(9);
});

test('a result survives a new inspection of the container, and a change is reported once', async () => {
  const told = vi.fn();
  desired.on('statusChanged', told);
  run('a');
  await vi.advanceTimersByTimeAsync(30_000);
  run('a');
  expect(statuses()).toEqual([['passing']]);
  expect(told).toHaveBeenCalledTimes(1);
});

test('a check ends with its container, in any phase', async () => {
  run('a');
  run('b');
  await vi.advanceTimersByTimeAsync(1000);
  expect(runner.size).toBe(2);
  desired.delete(containerId('a'));
  run('b', { running: false });
  expect(runner.size).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
  probe.mockClear();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(probe).not.toHaveBeenCalled();
});

test('a result after the end of the container is dropped', async () => {
  const jitter = vi.spyOn(Math, 'random').mockReturnValue(0.5);
  const slow = Promise.withResolvers<Result>();
  probe.mockImplementationOnce(() => slow.promise);
  run('a');
  await vi.advanceTimersByTimeAsync(1000);
  const signal = probe.mock.calls[0]?.[1];
  desired.delete(containerId('a'));
  expect(signal?.aborted).toBe(true);
  run('a');
  slow.resolve({ status: 'passing', output: '' });
  await vi.advanceTimersByTimeAsync(0);
  expect(statuses()).toEqual([[undefined]]);
  jitter.mockRestore();
  // Only the new run probes: the old one has ended.
  expect(vi.getTimerCount()).toBe(1);
});

test('at most 256 run at once, and slow ones delay others only for a while', async () => {
  let running = 0;
  let most = 0;
  probe.mockImplementation(async (_, signal) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    running--;
    return { status: 'critical', output: '' };
  });
  const hanging = { env: { ...env, SERVICE_CHECK_TIMEOUT: '999h' } };
  for (let n = 0; n < 300; n++) run(`${n}f`, hanging);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(most).toBe(256);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(statuses().flat()).toEqual(Array.from({ length: 300 }, () => 'critical'));
  probe.mockImplementation(async () => result);
  for (let n = 0; n < 300; n++) desired.delete(containerId(`${n}f`));
});

test("hanging checks of one container do not delay another's", async () => {
  const hung = Promise.withResolvers<Result>();
  probe.mockImplementation(async (check) =>
    'url' in check && check.url.includes(':80/') ? result : hung.promise,
  );
  const ports = Array.from({ length: 500 }, (_, n) => 1000 + n);
  run('a', { ports, env: { ...env, SERVICE_NAME: 'other', SERVICE_CHECK_TIMEOUT: '999h' } });
  await vi.advanceTimersByTimeAsync(600);
  expect(probe).toHaveBeenCalledTimes(4);
  run('b');
  await vi.advanceTimersByTimeAsync(600);
  expect(statuses()).toEqual([['passing']]);
  desired.delete(containerId('a'));
  hung.resolve({ status: 'critical', output: '' });
  probe.mockImplementation(async () => result);
});

test('hundreds of failing checks of a container run 50 a second, and those of another container run on time', async () => {
  result = { status: 'critical', output: 'refused' };
  const ports = Array.from({ length: 256 }, (_, n) => 1000 + n);
  run('a', { ports, env: { ...env, SERVICE_NAME: 'other', SERVICE_CHECK_INTERVAL: '1s' } });
  await vi.advanceTimersByTimeAsync(5_000);
  probe.mockClear();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(probe.mock.calls.length).toBeLessThanOrEqual(510);
  expect(probe.mock.calls.length).toBeGreaterThan(400);
  run('b');
  await vi.advanceTimersByTimeAsync(600);
  expect(statuses()).toEqual([['critical']]);
});

test('kinds that heddle does not run are left out with a sentence', () => {
  run('a', { env: { SERVICE_NAME: 'web', SERVICE_CHECK_GRPC: 'true' } });
  expect(statuses()).toEqual([[]]);
  expect(desired.problems(containerId('a'))).toEqual([
    'SERVICE_CHECK_GRPC is left out: grpc checks are not supported with this registry',
  ]);
});
