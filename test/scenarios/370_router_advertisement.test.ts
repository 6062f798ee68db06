import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { leftOnHost } from '../support/cleanup.ts';
import { removeContainers } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { succeed } from '../support/program.ts';
import { scenario } from '../support/scenario.ts';

/** It runs in a container with Docker's default capabilities, from the host's files. */
const FRAME = fileURLToPath(new URL('../support/hostile-frame.ts', import.meta.url));
const HOST_FILES = ['-v', '/:/host:ro', '--init'];
const sending = (...args: string[]) => ['chroot', '/host', process.execPath, FRAME, ...args];
const setting = (device: string, name: string) => `/proc/sys/net/ipv6/conf/${device}/${name}`;
const read = (device: string, name: string) => readFileSync(setting(device, name), 'latin1').trim();
const defaultRoutes = () => succeed('ip', ['-6', 'route', 'show', 'default']);
const guards = async () =>
  (await leftOnHost()).filter((trace) => trace.includes(' -A INPUT ') && trace.endsWith('-j DROP'));
/** Ten of its packets. */
const SEVERAL_PACKETS_MS = 1_000;

beforeAll(async () => {
  // A bridge that an earlier version or another program made.
  await succeed('ip', ['link', 'add', 'weave', 'type', 'bridge']);
  await succeed('ip', ['link', 'set', 'weave', 'up']);
  expect(read('weave', 'accept_ra')).toBe('1');
});
const { daemon } = scenario({ keepContainers: true });
afterAll(async () => {
  await removeContainers();
  await daemon.command('reset');
});

test("a container's router advertisement does not become the host's default route", async () => {
  await eventually(() => expect(read('weave', 'accept_ra')).toBe('0'));
  for (const name of ['autoconf', 'accept_redirects']) expect(read('weave', name)).toBe('0');
  await daemon.run(['10.2.1.1/16'], HOST_FILES, sending('advertise', 'ethwe'));
  const [end = ''] =
    (await succeed('ip', ['-o', 'link', 'show', 'master', 'weave'])).match(/vethwl\w+/) ?? [];
  for (const name of ['accept_ra', 'autoconf', 'accept_redirects']) expect(read(end, name)).toBe('0');
  await delay(SEVERAL_PACKETS_MS);
  expect(await defaultRoutes()).toBe('');

  // Where /proc/sys cannot be written, the rules alone protect the host.
  const rules = await guards();
  expect(rules.some((rule) => rule.startsWith('ip6tables') && rule.includes('-i weave '))).toBe(true);
  writeFileSync(setting('weave', 'accept_ra'), '1');
  await delay(SEVERAL_PACKETS_MS);
  expect(await defaultRoutes()).toBe('');

  // Both are repaired.
  for (const rule of rules) {
    const [command = '', , ...args] = rule.split(' ');
    await succeed(command, ['-w', '-D', ...args]);
  }
  process.kill(daemon.pid, 'SIGHUP');
  await eventually(async () => {
    expect(read('weave', 'accept_ra')).toBe('0');
    expect(await guards()).toEqual(rules);
  });
  await succeed('ip', ['-6', 'route', 'flush', 'default']);
  expect((await daemon.command('doctor')).stdout).toMatch(/router advertisements .*weave accepts none/);

  // The packets are real: a host that accepts them gets another default route, and doctor reports it.
  await daemon.stop();
  for (const rule of rules) {
    const [command = '', , ...args] = rule.split(' ');
    await succeed(command, ['-w', '-D', ...args]);
  }
  writeFileSync(setting('weave', 'accept_ra'), '1');
  await eventually(async () => expect(await defaultRoutes()).toContain('dev weave'));
  await daemon.start();
  expect((await daemon.command('doctor')).stdout).toMatch(/router advertisements .*leads through weave/);
});

test('reset removes the rules', async () => {
  await daemon.command('reset');
  expect(await guards()).toEqual([]);
});
