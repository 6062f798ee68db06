import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { StateFile } from '../../src/state/state.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-state-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('creates the host-id once, and keeps it', async () => {
  const first = await StateFile.open(join(folder, 'new/folder'));
  expect(first.current.hostId).toMatch(/^[0-9a-f]{12}$/);
  const second = await StateFile.open(join(folder, 'new/folder'));
  expect(second.current).toEqual(first.current);
});

it('takes the given id for a new host, and requests none otherwise', async () => {
  const first = await StateFile.open(folder, async () => '0123456789ab');
  expect(first.current.hostId).toBe('0123456789ab');
  const again = await StateFile.open(folder, () => expect.unreachable());
  expect(again.current).toEqual(first.current);
});

it('writes concurrent changes completely and in order, and leaves no other file', async () => {
  const state = await StateFile.open(folder);
  const claim = (id: number) =>
    state.change((before) => ({ ...before, claims: { ...before.claims, [`c${id}`]: ['10.2.1.1/16'] } }));
  const written = async () => Object.keys(JSON.parse(await readFile(state.path, 'utf8')).claims);
  // Each change is on disk when its own promise resolves, even if another change started the write.
  const each = Array.from({ length: 20 }, (_, id) =>
    claim(id).then(async () => expect(await written()).toContain(`c${id}`)),
  );
  await Promise.all(each);
  expect(await written()).toHaveLength(20);
  expect(await readdir(folder)).toEqual(['state.json']);
});

it('reads files of older versions, which contain less', async () => {
  const older = { version: 1, hostId: '0123456789ab', claims: { web: ['10.2.1.1/16'] } };
  await writeFile(join(folder, 'state.json'), JSON.stringify(older));
  const { current } = await StateFile.open(folder);
  expect(current).toEqual({ ...older, attachments: {}, unmasqueraded: [], leaving: {}, names: [] });
});

it('rejects a damaged file and does not start under another id', async () => {
  await writeFile(join(folder, 'state.json'), '{"version":1,"hostId":"');
  await expect(StateFile.open(folder)).rejects.toThrow(
    /state\.json is damaged .*restore it, or move it away/,
  );
  expect(await readFile(join(folder, 'state.json'), 'utf8')).toBe('{"version":1,"hostId":"');
});

it('names the folder that it cannot write', async () => {
  await writeFile(join(folder, 'file'), '');
  await chmod(join(folder, 'file'), 0o600);
  await expect(StateFile.open(join(folder, 'file/state'))).rejects.toThrow(
    /cannot write state to .*--state-dir/,
  );
});
