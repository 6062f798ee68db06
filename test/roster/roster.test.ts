import { expect, it } from 'vitest';
import { Roster } from '../../src/roster/roster.ts';
import { entryFor, snapshot } from '../support/snapshot.ts';

it('knows all containers that share a namespace, until each has left it', () => {
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

it('tells of every change, and of a removal only once', () => {
  const roster = new Roster();
  const told: string[] = [];
  roster.on('set', (entry) => told.push(`set ${entry.snapshot.name}`));
  roster.on('delete', (id) => told.push(`delete ${id.slice(0, 3)}`));
  const web = snapshot('web');
  roster.set(entryFor(web));
  roster.delete(web.id);
  roster.delete(web.id);
  expect(told).toEqual(['set web', 'delete web']);
});
