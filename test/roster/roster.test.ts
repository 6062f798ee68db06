import { expect, it } from 'vitest';
import { Roster } from '../../src/roster/roster.ts';
import { entryFor, snapshot } from '../support/snapshot.ts';

it('finds all containers that share a namespace, until each has left it', () => {
  const roster = new Roster();
  const [web, sidecar] = [snapshot('web', { pid: 7 }), snapshot('sidecar', { pid: 7 })];
  roster.set(entryFor(web));
  roster.set(entryFor(sidecar));
  expect(roster.inNamespace(7)).toEqual([web.id, sidecar.id]);
  roster.set(entryFor(web, { namespace: 8 }));
  expect(roster.inNamespace(7)).toEqual([sidecar.id]);
  expect(roster.inNamespace(8)).toEqual([web.id]);
  roster.delete(sidecar.id);
  expect(roster.inNamespace(7)).toEqual([]);
});

it('emits every change, and a removal only once', () => {
  const roster = new Roster();
  const emitted: string[] = [];
  roster.on('set', (entry) => emitted.push(`set ${entry.snapshot.name}`));
  roster.on('delete', (id) => emitted.push(`delete ${id.slice(0, 3)}`));
  const web = snapshot('web');
  roster.set(entryFor(web));
  roster.delete(web.id);
  roster.delete(web.id);
  expect(emitted).toEqual(['set web', 'delete web']);
});
