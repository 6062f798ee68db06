import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { HeddleError } from '../../src/errors.ts';
import { Claims } from '../../src/ipam/claims.ts';
import { formatCidr, parseCidr } from '../../src/network/cidr.ts';
import { createLogger } from '../../src/runtime/log.ts';
import type { State } from '../../src/state/content.ts';
import { StateFile } from '../../src/state/state.ts';
import { undo } from '../../src/state/undo.ts';
import { count } from '../support/counts.ts';
import { eventually } from '../support/eventually.ts';
import { FailingFiles, STEPS } from '../support/failing-files.ts';
import { temporaryFolder } from '../support/folder.ts';

const CODES = ['ENOSPC', 'EROFS', 'EMFILE', 'EIO'];
const first = parseCidr('10.2.1.1/16');
const second = parseCidr('10.2.1.2/16');

async function open() {
  const folder = await temporaryFolder();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  const lines: { msg: string; level: number; code?: string }[] = [];
  const log = createLogger(
    { level: 'info', pretty: false },
    { write: (line) => lines.push(JSON.parse(line)) },
  );
  const files = new FailingFiles();
  const state = await StateFile.open(folder.path, () => '0123456789ab', { log, calls: files });
  onTestFinished(() => state.close());
  const onDisk = async (): Promise<State> => JSON.parse(await readFile(state.path, 'utf8'));
  return { folder: folder.path, files, state, claims: new Claims(state), lines, onDisk };
}

describe.each(CODES)('when the disk fails with %s', (code) => {
  it.each(STEPS)(
    'at %s, a required change is undone and rejected, and a later change stands',
    async (step) => {
      const { folder, files, state, claims, lines, onDisk } = await open();
      await claims.add('web', [first]);
      files.fault = { step, code };
      await expect(claims.add('db', [second])).rejects.toMatchObject({
        code: 'failed',
        message: expect.stringMatching(
          new RegExp(`^cannot write state to ${folder}/state.json: ${code}.*nothing was changed; free space`),
        ),
      });
      expect(claims.of('db')).toBeUndefined();
      expect(claims.withAddress(second.ip)).toEqual([]);
      await claims.forget('web');
      await claims.add('label', [second], {}, 'later');
      expect(claims.withAddress(second.ip)).toEqual(['label']);
      expect(lines.map(({ msg, level, code }) => [msg.slice(0, 18), level, code])).toEqual([
        ['cannot write state', 50, code],
      ]);
      // Another reader finds the complete previous file.
      expect((await onDisk()).claims).toEqual({ web: ['10.2.1.1/16'] });
      files.fault = undefined;
      await eventually(async () => expect((await onDisk()).claims).toEqual({ label: ['10.2.1.2/16'] }));
      await eventually(() =>
        expect(lines.at(-1)).toMatchObject({ msg: 'the state is written again', level: 30 }),
      );
      expect(await readdir(folder)).toEqual(['state.json']);
      expect((await StateFile.open(folder)).current).toEqual(state.current);
    },
  );

  it('a change counts once the file is in place, and is written again until the disk confirms it', async () => {
    const { folder, files, claims, lines, onDisk } = await open();
    files.fault = { step: 'sync folder', code };
    await claims.add('web', [first]);
    expect(claims.withAddress(first.ip)).toEqual(['web']);
    expect((await onDisk()).claims).toEqual({ web: ['10.2.1.1/16'] });
    expect(lines.map(({ msg, level, code }) => [msg.slice(0, 20), level, code])).toEqual([
      ['the state is written', 50, code],
    ]);
    files.fault = undefined;
    await eventually(() =>
      expect(lines.at(-1)).toMatchObject({ msg: 'the state is written again', level: 30 }),
    );
    expect(await readdir(folder)).toEqual(['state.json']);
  });

  it.each([...STEPS, 'sync folder'] as const)(
    'a failure at %s during the start does not stop it',
    async (step) => {
      const { folder, claims } = await open();
      await claims.add('web', [first]);
      const files = new FailingFiles();
      files.fault = { step, code };
      const state = await StateFile.open(folder, () => expect.unreachable(), { calls: files });
      expect(new Claims(state).of('web')?.map(formatCidr)).toEqual(['10.2.1.1/16']);
      expect(files.failed).toBe(1);
      files.fault = undefined;
      await state.close();
    },
  );
});

it('a failing disk is retried at growing intervals, but at once for a required change', async () => {
  const { files, claims } = await open();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  files.fault = { step: 'mkdir', code: 'ENOSPC' };
  for (let index = 0; index < 500; index++) await claims.add(`c${index}`, [first], {}, 'later');
  expect(files.failed).toBe(0);
  await vi.advanceTimersByTimeAsync(100);
  expect(files.failed).toBe(1);
  await expect(claims.add('web', [first])).rejects.toBeInstanceOf(HeddleError);
  expect(files.failed).toBe(2);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(files.failed).toBeGreaterThan(18);
  expect(files.failed).toBeLessThan(35);
});

it('a disk that first fails to sync and then fails to write is logged once for each', async () => {
  const { files, claims, lines } = await open();
  files.fault = { step: 'sync folder', code: 'EIO' };
  await claims.add('web', [first]);
  await claims.add('web', [second]);
  files.fault = { step: 'write', code: 'EIO' };
  await expect(claims.add('db', [second])).rejects.toMatchObject({ code: 'failed' });
  await expect(claims.add('db', [second])).rejects.toMatchObject({ code: 'failed' });
  expect(lines.map(({ msg }) => msg.slice(0, 20))).toEqual(['the state is written', 'cannot write state: ']);
});

/** A file whose next write completes when the test calls `go`. */
async function openSlow() {
  const { folder, files, onDisk } = await open();
  const { promise, resolve } = Promise.withResolvers<void>();
  let writes = 0;
  const rename: typeof files.rename = async (...given) => {
    if (writes++ > 0) await promise;
    return files.rename(...given);
  };
  const state = await StateFile.open(folder, () => expect.unreachable(), { calls: { ...files, rename } });
  return { state, claims: new Claims(state), onDisk, go: resolve, writes: () => writes };
}

it('close waits for a running write, and nothing is written after it', async () => {
  const { state, claims, onDisk, go, writes } = await openSlow();
  void claims.add('web', [first], {}, 'later');
  await eventually(() => expect(writes()).toBe(2));
  void claims.add('db', [second], {}, 'later');
  setTimeout(go, 20);
  await state.close();
  expect(await onDisk()).toMatchObject({ claims: { web: ['10.2.1.1/16'], db: ['10.2.1.2/16'] } });
  await expect(claims.clear('web')).resolves.toBeUndefined();
  await expect(claims.add('late', [first])).rejects.toMatchObject({ code: 'refused' });
  await expect(claims.release('db', [second])).rejects.toMatchObject({ code: 'refused' });
  expect(claims.of('late')).toBeUndefined();
  expect(writes()).toBe(3);
});

it('a hanging disk delays no later change, and gets all of them afterwards', async () => {
  const { claims, onDisk, go, writes } = await openSlow();
  await claims.add('web', [first], {}, 'later');
  await eventually(() => expect(writes()).toBe(2));
  await claims.add('db', [second], {}, 'later');
  expect(claims.withAddress(second.ip)).toEqual(['db']);
  expect(await onDisk()).toMatchObject({ claims: {} });
  go();
  await eventually(async () =>
    expect((await onDisk()).claims).toEqual({ web: ['10.2.1.1/16'], db: ['10.2.1.2/16'] }),
  );
});

it('concurrent changes of many containers share one write', async () => {
  const { claims, onDisk, go, writes } = await openSlow();
  go();
  for (let index = 0; index < 100; index++) await claims.add(`c${index}`, [first], {}, 'later');
  await eventually(async () => expect(Object.keys((await onDisk()).claims)).toHaveLength(100));
  expect(writes()).toBe(2);
});

it('close does not wait for a disk that hangs', async () => {
  const { state, claims, go, writes } = await openSlow();
  void claims.add('web', [first], {}, 'later');
  await eventually(() => expect(writes()).toBe(2));
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const closed = state.close();
  await vi.advanceTimersByTimeAsync(5_000);
  await closed;
  go();
});

it('close makes one more attempt', async () => {
  const { files, state, claims, onDisk } = await open();
  await claims.add('web', [first]);
  files.fault = { step: 'write', code: 'ENOSPC' };
  await claims.forget('web');
  files.fault = undefined;
  await state.close();
  expect((await onDisk()).claims).toEqual({});
});

it('an existing file that cannot be read stops the start: a new host-id would make it another host', async () => {
  const { folder } = await open();
  const files = new FailingFiles();
  const calls = { ...files, readFile: (async () => Promise.reject(new Error('EIO: no'))) as typeof readFile };
  await expect(StateFile.open(folder, undefined, { calls })).rejects.toThrow(
    `cannot read the state file ${folder}/state.json: EIO: no`,
  );
});

const owner = fc.constantFrom('web', 'db', 'weave:expose');
const cidrs = fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { maxLength: 3 });
const change = fc.record({
  verb: fc.constantFrom('add', 'remove', 'release', 'masquerade', 'forget'),
  owner,
  cidrs,
  fails: fc.boolean(),
});

it('failed changes leave the state as if only the others had been requested', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
      await using folder = await temporaryFolder();
      await using expectedFolder = await temporaryFolder();
      const files = new FailingFiles();
      const state = await StateFile.open(folder.path, () => '0123456789ab', { calls: files });
      const other = await StateFile.open(expectedFolder.path, () => '0123456789ab');
      const [claims, expected] = [new Claims(state), new Claims(other)];
      for (const { verb, owner, cidrs, fails } of changes) {
        const list = cidrs.map((last) => parseCidr(`10.2.1.${last}/16`));
        const act = (on: Claims): Promise<void> => {
          if (verb === 'forget') return on.forget(owner);
          if (verb === 'masquerade') return on.masquerade(list, false);
          return on[verb](owner, list);
        };
        files.fault = fails ? { step: 'write', code: 'ENOSPC' } : undefined;
        const done = await act(claims).then(
          () => true,
          () => false,
        );
        if (done) await act(expected);
        expect(state.current).toEqual(other.current);
        for (let last = 1; last <= 5; last++) {
          expect(claims.withAddress(`10.2.1.${last}`).toSorted()).toEqual(
            expected.withAddress(`10.2.1.${last}`).toSorted(),
          );
        }
      }
      files.fault = undefined;
      await state.close();
      const { current } = await StateFile.open(folder.path);
      expect(current).toEqual(other.current);
    }),
    { numRuns: count(30, 500) },
  );
});

it('changes that fail together are each undone, and leave the other changes', async () => {
  const { files, state, claims } = await open();
  await claims.add('web', [first]);
  files.fault = { step: 'sync', code: 'ENOSPC' };
  const outcomes = await Promise.allSettled([
    claims.add('db', [first]),
    claims.add('db', [second]),
    claims.add('web', [second], { multicastRoute: false }),
    claims.forget('web'),
    claims.release('weave:expose', [first]),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual([
    ...['rejected', 'rejected', 'rejected', 'fulfilled', 'rejected'],
  ]);
  expect(state.current).toMatchObject({ claims: {}, attachments: {}, leaving: {} });
});

it('a value that a later change has set is not undone', () => {
  const state = (multicastRoute: boolean | undefined) => ({
    ...{ claims: {}, leaving: {}, unmasqueraded: [], names: [] },
    attachments: multicastRoute === undefined ? {} : { web: { multicastRoute } },
  });
  const change = { before: state(undefined), after: state(false) };
  expect(undo(state(true), change)).toEqual(state(true));
  expect(undo(state(false), change)).toEqual(state(undefined));
});

describe('a state file from another program', () => {
  const valid = { version: 1, hostId: '0123456789ab', claims: { c1: ['10.2.1.1/16'] } };

  it.each([
    ['claims.c1.0', { ...valid, claims: { c1: ['10.2.1.300/16'] } }, '10.2.1.300/16'],
    ['claims.c1', { ...valid, claims: { c1: '10.2.1.1/16' } }, 'Array'],
    ['hostId', { ...valid, hostId: 'Host' }, 'Host'],
    ['version', { ...valid, version: 2 }, '2'],
    ['unmasqueraded.1', { ...valid, unmasqueraded: ['10.2.1.1/16', 'x'] }, 'x'],
    ['leaving.c1.0', { ...valid, leaving: { c1: ['10.2.1.1'] } }, '10.2.1.1'],
    ['names.0.ips.0', { ...valid, names: [{ name: 'a.weave.local', ips: ['10.2.1'] }] }, 'is no IP address'],
    ['attachments.c1.multicastRoute', { ...valid, attachments: { c1: { multicastRoute: 1 } } }, '1'],
  ])('with a bad %s is refused, with its name and the key', async (key, content, why) => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'state.json');
    await writeFile(path, JSON.stringify(content));
    const opened = StateFile.open(folder.path);
    await expect(opened).rejects.toMatchObject({ code: 'failed' });
    await expect(opened).rejects.toThrow(`the state file ${path} is damaged (${key}: `);
    await expect(opened).rejects.toThrow(why);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual(content);
  });

  it('of a newer heddle keeps its unknown keys', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'state.json');
    const newer = {
      ...valid,
      colours: { c1: 'red' },
      attachments: { c1: { multicastRoute: false, speed: 'fast' } },
      names: [{ name: 'a.weave.local', ips: ['10.2.1.1'], since: 7 }],
    };
    await writeFile(path, JSON.stringify(newer));
    const claims = new Claims(await StateFile.open(folder.path));
    await claims.add('c2', [second]);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({
      ...newer,
      claims: { c1: ['10.2.1.1/16'], c2: ['10.2.1.2/16'] },
    });
  });

  it('that is deleted while the daemon runs is written again', async () => {
    const { folder, claims, onDisk } = await open();
    await rm(folder, { recursive: true });
    await claims.add('web', [first]);
    expect((await onDisk()).claims).toEqual({ web: ['10.2.1.1/16'] });
  });
});
