import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../scripts/root.ts';

/** The rooms of src, lowest first. A room imports from those before it. */
const FLOORS = [
  'errors',
  'version',
  'runtime',
  'docker',
  'network',
  'addresses',
  'state',
  'hosts-file',
  'roster',
  'services',
  'registry',
  'ipam',
  'dns',
  'checks',
  'config',
  'containers',
  'host-dns',
  'control',
  'run',
  'launch',
  'doctor',
  'operations',
  'daemon',
  'commands',
  'cli',
  'here',
  'main',
];

/** Files of one folder, without the folders in it. */
const MOST_FILES = 20;

const files = globSync('src/**/*.ts', { cwd: ROOT }).map((file) => file.slice('src/'.length));
const textOf = (file: string): string => readFileSync(join(ROOT, 'src', file), 'utf8');
const targetsOf = (file: string, pattern: RegExp): readonly string[] =>
  Array.from(textOf(file).matchAll(pattern), ([, to = '']) => join(dirname(file), to));

/** What each file imports when it is loaded, types included. */
const imports = new Map(
  files.map((file) => [file, targetsOf(file, /^(?:import|export)[^;]*?from '(\.[^']+)'/gm)]),
);
/** What it imports later, by a call. */
const lazyImports = new Map(files.map((file) => [file, targetsOf(file, /\bimport\('(\.[^']+)'\)/g)]));

const roomOf = (file: string): string => file.replace(/\/.*|\.ts$/, '');

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

describe('rooms', () => {
  it('each stands on one floor', () => {
    expect(new Set(FLOORS)).toEqual(new Set(files.map(roomOf)));
  });

  it('imports only go down', () => {
    const up = files.flatMap((file) =>
      [...(imports.get(file) ?? []), ...(lazyImports.get(file) ?? [])]
        .filter((to) => FLOORS.indexOf(roomOf(to)) > FLOORS.indexOf(roomOf(file)))
        .map((to) => `${file} -> ${to}`),
    );
    expect(up).toEqual([]);
  });

  it('the root holds two entries, the errors and the version', () => {
    expect(files.filter((file) => !file.includes('/')).toSorted()).toEqual([
      'errors.ts',
      'here.ts',
      'main.ts',
      'version.ts',
    ]);
  });

  it(`no folder holds more than ${MOST_FILES} files`, () => {
    const sizes = Map.groupBy(files, dirname);
    const overfull = [...sizes].filter(([, inside]) => inside.length > MOST_FILES);
    expect(overfull.map(([folder, inside]) => `${folder}: ${inside.length}`)).toEqual([]);
  });
});

it('no age or patience is measured by the clock of the day, which can be set', () => {
  const uses = files.flatMap((file) => {
    const found = textOf(file).match(/\bDate\.now\b|\bnew Date\(\)|\bDate\(\)|\.getTime\(\)/g);
    return (found ?? []).map((use) => `${file}: ${use}`);
  });
  expect(uses.toSorted()).toEqual([
    // Shown to people.
    'containers/follow.ts: new Date()',
    // The serial of a zone.
    'dns/zones/wall-clock.ts: Date.now',
    // Compared with another clock of the day: that is what is looked at.
    'doctor/examine.ts: Date.now',
    'doctor/registry.ts: Date.now',
    // Shown to people.
    'operations/daemon-host.ts: new Date()',
    'registry/reconcile/reconciler.ts: new Date()',
  ]);
});

it('main imports nothing before it has looked at the version of Node: an old one would fail at the import', () => {
  expect(imports.get('main.ts')).toEqual([]);
  expect(textOf('main.ts')).not.toMatch(/^import\b(?!\()/m);
});
