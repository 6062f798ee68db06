import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WeaveNames } from '../../../src/dns/names/weave-names.ts';
import type { RosterEntry } from '../../../src/roster/entry.ts';
import { Roster } from '../../../src/roster/roster.ts';
import { StateFile } from '../../../src/state/state.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/folder.ts';
import { entryFor, snapshot } from '../../support/snapshot.ts';

let folder: TemporaryFolder;
let roster: Roster;
let names: WeaveNames;
let state: StateFile;

async function open(): Promise<void> {
  roster = new Roster();
  state = await StateFile.open(folder.path);
  names = new WeaveNames({ roster, state }, { domain: 'weave.local' });
}

beforeEach(async () => {
  folder = await temporaryFolder();
  await open();
});
afterEach(() => folder[Symbol.asyncDispose]());

function container(id: string, ip: string, running = true): RosterEntry {
  const choice = { chosen: true, ip, term: 'ethwe', reason: '', hostPorts: false } as const;
  return entryFor(snapshot(id, { running }), { choice });
}
const web = container('web', '10.2.1.1');
const id = web.snapshot.id;
const at = (name: string) => names.table.addresses(`${name}.weave.local`);

describe('a container (TestContainerAndPeerDeath, 260 removal on death)', () => {
  test('is found while it runs, at once after each change', () => {
    roster.set(web);
    expect(at('web')).toEqual(['10.2.1.1']);
    roster.set(container('web', '10.2.1.9'));
    expect(at('web')).toEqual(['10.2.1.9']);
    roster.set(container('web', '10.2.1.9', false));
    expect(at('web')).toEqual([]);
    roster.set(web);
    roster.delete(id);
    expect(at('web')).toEqual([]);
  });

  test('shares a name with others, and removes only its own addresses (210 same name)', () => {
    roster.set(web);
    roster.set(
      entryFor(snapshot('other', { aliases: ['web'] }), { choice: container('', '10.2.1.2').choice }),
    );
    expect([...at('web')].sort()).toEqual(['10.2.1.1', '10.2.1.2']);
    roster.delete(id);
    expect(at('web')).toEqual(['10.2.1.2']);
  });
});

test('a container name that is not a valid label is logged once, and again when it changes', () => {
  const lines: string[] = [];
  const log = { warn: (_: object, line: string) => void lines.push(line) };
  names = new WeaveNames({ roster, state, log: log as never }, { domain: 'weave.local' });
  const long = (name: string, running = true) =>
    entryFor(snapshot('long', { running, name }), { choice: container('', '10.2.1.3').choice });
  roster.set(long('x'.repeat(64)));
  roster.set(long('x'.repeat(64)));
  expect(lines).toEqual([expect.stringMatching(/^the container name x{64} is not a valid DNS name/)]);
  const { id } = long('').snapshot;
  expect(names.problems(id)).toHaveLength(1);
  roster.set(long('y'.repeat(64)));
  expect(lines).toHaveLength(2);
  // Without an address, a container needs no name.
  roster.set(long('y'.repeat(64), false));
  expect(names.problems(id)).toEqual([]);
});

describe('dns-add (TestAdd, 240 dns-add and dns-remove)', () => {
  test('accepts ten thousand names and no more, until one is removed', async () => {
    const given = Array.from({ length: 10_000 }, (_, n) => ({
      name: `n${n}.weave.local`,
      ips: ['10.9.9.9'],
    }));
    const before = { version: 1, hostId: '0123456789ab', claims: {}, names: given };
    await writeFile(join(folder.path, 'state.json'), JSON.stringify(before));
    await open();
    const more = { ips: ['10.9.9.8'], name: 'more' };
    await expect(names.add(more)).rejects.toThrow(/10000 were added already.*dns-remove/);
    expect([at('more'), at('n9999')]).toEqual([[], ['10.9.9.9']]);
    await names.remove({ ips: ['10.9.9.9'], name: 'n7' });
    await names.add(more);
    expect([at('more'), at('n7')]).toEqual([['10.9.9.8'], []]);
  });

  test('names a container while it runs, with its current address', async () => {
    roster.set(web);
    await names.add({ ips: [], container: id, name: 'front' });
    expect(at('front')).toEqual(['10.2.1.1']);
    roster.set(container('web', '10.2.1.9'));
    expect(at('front')).toEqual(['10.2.1.9']);
    roster.set(container('web', '10.2.1.9', false));
    expect(at('front')).toEqual([]);
    roster.set(web);
    expect(at('front')).toEqual(['10.2.1.1']);
  });

  test('adds addresses in other networks to a container, under its own name', async () => {
    roster.set(web);
    await names.add({ ips: ['10.9.9.9'], container: id });
    expect([...at('web')].sort()).toEqual(['10.2.1.1', '10.9.9.9']);
  });

  test('names addresses that belong to no container (external names)', async () => {
    await names.add({ ips: ['192.0.2.1', '2001:db8::1'], name: 'printer.Weave.local.' });
    expect(at('printer')).toEqual(['192.0.2.1', '2001:db8::1']);
    expect(names.table.nameOf('192.0.2.1')?.name).toBe('printer.weave.local');
  });

  test('has the same effect twice as once', async () => {
    roster.set(web);
    for (const _ of [1, 2]) await names.add({ ips: [], container: id, name: 'front' });
    await names.remove({ ips: [], container: id, name: 'front' });
    expect(at('front')).toEqual([]);
  });

  test('outlasts a restart of the daemon, and is forgotten with its container (TestPrune, 255 restart)', async () => {
    roster.set(web);
    await names.add({ ips: [], container: id, name: 'front' });
    await names.add({ ips: ['192.0.2.1'], name: 'printer' });
    await open();
    expect([at('front'), at('printer')]).toEqual([[], ['192.0.2.1']]);
    roster.set(web);
    expect(at('front')).toEqual(['10.2.1.1']);
    await open();
    await names.prune();
    roster.set(web);
    expect([at('front'), at('printer')]).toEqual([[], ['192.0.2.1']]);
  });

  test.each([
    ['web.example.com'],
    ['weave.local'],
    ['a b'],
    ['x'.repeat(64)],
    [`${'x.'.repeat(125)}weave.local`],
  ])('reports what is wrong with the name %s', async (name) => {
    await expect(names.add({ ips: ['192.0.2.1'], name })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('is no name below weave.local'),
    });
  });
});

describe('dns-remove (TestDelete, TestDeleteFor)', () => {
  test('removes an address, a name, or all names of a container', async () => {
    roster.set(web);
    await names.add({ ips: ['10.9.0.1', '10.9.0.2'], container: id, name: 'front' });
    await names.add({ ips: [], container: id, name: 'back' });
    await names.add({ ips: ['10.9.0.3'], name: 'front' });
    await names.remove({ ips: ['10.9.0.1'], container: id, name: 'front' });
    expect([...at('front')].sort()).toEqual(['10.9.0.2', '10.9.0.3']);
    await names.remove({ ips: [], container: id });
    expect([at('front'), at('back'), at('web')]).toEqual([['10.9.0.3'], [], ['10.2.1.1']]);
    await names.remove({ ips: ['10.9.0.3'], name: 'front' });
    expect(at('front')).toEqual([]);
  });

  test('of a missing name succeeds', async () => {
    await names.remove({ ips: ['192.0.2.1'], name: 'nothing' });
    await names.remove({ ips: [], container: id });
  });

  test('removes an added name that is also the container’s own, without an error', async () => {
    roster.set(web);
    await names.add({ ips: ['10.9.0.1'], container: id, name: 'web' });
    await names.remove({ ips: [], container: id, name: 'web' });
    expect(at('web')).toEqual(['10.2.1.1']);
  });

  test('reports that a name comes from the container itself', async () => {
    roster.set(web);
    await expect(names.remove({ ips: [], container: id, name: 'web' })).rejects.toThrow(
      "cannot remove web.weave.local: it is container web000000000's own name",
    );
  });
});
