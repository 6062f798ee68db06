import { mkdir, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { hostIdOfEngine, readMachineId } from '../../src/state/host-id.ts';
import { temporaryFolder } from '../support/folder.ts';

const info = (id: string) => ({ id, name: 'host1', version: '20.10', time: '', maker: 'docker' }) as const;
const none = async () => '';
const engine = (id: string) => ({ info: async () => info(id) });
/** Like podman: another id with every answer. */
const fickle = () => {
  let queries = 0;
  return { info: async () => info(`random-${++queries}`) };
};

test('one engine gives one host-id, independent of the host name; another engine gives another one', async () => {
  const id = await hostIdOfEngine(engine('AAAA:BBBB'), none);
  expect(id).toMatch(/^[0-9a-f]{12}$/);
  expect(await hostIdOfEngine(engine('AAAA:BBBB'), none)).toBe(id);
  expect(await hostIdOfEngine(engine('AAAA:BBBC'), none)).not.toBe(id);
});

test.each([
  ['that does not answer', { info: () => Promise.reject(new Error('connection refused')) }],
  ['that hangs', { info: () => new Promise<never>(() => {}) }],
  ['without an id', engine('')],
])('an engine %s gives a new one each time', async (_, docker) => {
  const ids = [await hostIdOfEngine(docker, none, 20), await hostIdOfEngine(docker, none, 20)];
  expect(ids).toEqual([expect.stringMatching(/^[0-9a-f]{12}$/), expect.not.stringContaining(ids[0] ?? '')]);
});

test('for an engine with another id in every answer, the machine-id counts', async () => {
  const machine = async () => '0123456789abcdef0123456789abcdef';
  const id = await hostIdOfEngine(fickle(), machine);
  expect(id).toMatch(/^[0-9a-f]{12}$/);
  expect(await hostIdOfEngine(fickle(), machine)).toBe(id);
  // machine-id(5): it is confidential.
  expect(await machine()).not.toContain(id);
  expect(await hostIdOfEngine(fickle(), async () => 'f'.repeat(32))).not.toBe(id);
});

test('without a machine-id, the host-id is random', async () => {
  const ids = [await hostIdOfEngine(fickle(), none), await hostIdOfEngine(fickle(), none)];
  expect(ids[0]).not.toBe(ids[1]);
});

test("the machine-id is the one that the host's first process sees", async () => {
  await using folder = await temporaryFolder();
  const etc = `${folder.path}/1/root/etc`;
  await mkdir(etc, { recursive: true });
  expect(await readMachineId(folder.path)).toBe('');
  await writeFile(`${etc}/machine-id`, `${'a1'.repeat(16)}\n`);
  expect(await readMachineId(folder.path)).toBe('a1'.repeat(16));
  await writeFile(`${etc}/machine-id`, 'uninitialized\n');
  expect(await readMachineId(folder.path)).toBe('');
});
