import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../scripts/root.ts';

/** What each file of src imports when it is loaded, types included; lazy imports of words are arrows of their own. */
const imports = new Map(
  globSync('src/**/*.ts', { cwd: ROOT }).map((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    const found = text.matchAll(/^(?:import|export)[^;]*?from '(\.[^']+)'/gm);
    return [file, Array.from(found, ([, to = '']) => join(dirname(file), to))];
  }),
);

it('no file imports itself by way of others', () => {
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
    else if (!done.has(file)) {
      for (const next of imports.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    }
  };
  for (const file of imports.keys()) visit(file, []);
  expect(cycles).toEqual([]);
});

it('nothing but the assembling file and the entry knows the commands', () => {
  const knowing = [...imports]
    .filter(
      ([file, targets]) =>
        !file.startsWith('src/commands/') && targets.some((to) => to.startsWith('src/commands/')),
    )
    .map(([file]) => file);
  expect(knowing).toEqual(['src/heddle.ts']);
});

it('no age or patience is measured by the clock of the day, which can be set', () => {
  const uses = globSync('src/**/*.ts', { cwd: ROOT }).flatMap((file) => {
    const found = readFileSync(join(ROOT, file), 'utf8').match(
      /\bDate\.now\b|\bnew Date\(\)|\bDate\(\)|\.getTime\(\)/g,
    );
    return (found ?? []).map((use) => `${file}: ${use}`);
  });
  expect(uses.toSorted()).toEqual([
    // Shown to people.
    'src/containers/follow.ts: new Date()',
    'src/control/daemon-host.ts: new Date()',
    // The serial of a zone.
    'src/dns/zones/calendar.ts: Date.now',
    // Compared with another clock of the day: that is what is looked at.
    'src/doctor/examine.ts: Date.now',
    'src/doctor/registry.ts: Date.now',
    // Shown to people.
    'src/registry/reconcile.ts: new Date()',
  ]);
});

it('main imports nothing before it has looked at the version of Node: an old one would fail at the import', () => {
  expect(imports.get('src/main.ts')).toEqual([]);
  expect(readFileSync(join(ROOT, 'src/main.ts'), 'utf8')).not.toMatch(/^import\b(?!\()/m);
});
