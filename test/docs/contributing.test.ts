import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../scripts/root.ts';

const page = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};

const all = (pattern: RegExp): readonly string[] =>
  Array.from(page.matchAll(pattern), ([, found = '']) => found);
/** Arguments of commands, code and links that look like a path of the repository. */
const isPath = (text: string): boolean => /^(?:src|test|docs|scripts)\/|^[A-Z]+\.md$/.test(text);
const isPattern = (text: string): boolean => /[<*]/.test(text);

describe('CONTRIBUTING.md', () => {
  it('names scripts of package.json', () => {
    const named = all(/\bnpm run ([\w:]+)/g);
    expect(named).toContain('dev');
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  it('names files and folders that exist', () => {
    const inCode = all(/`([^`\n]+)`/g).flatMap((code) => code.split(' '));
    const inBlocks = all(/^```sh\n(.*?)^```/gms).flatMap((block) => block.split(/\s+/));
    const paths = [...inCode, ...inBlocks, ...all(/\]\(([^)]+)\)/g)]
      .filter(isPath)
      .filter((path) => !isPattern(path));
    expect(paths.length).toBeGreaterThan(30);
    // `test/contract/registry` is a filter: the start of a path.
    const missing = paths.filter(
      (path) => !existsSync(join(ROOT, path)) && !existsSync(join(ROOT, `${path}.test.ts`)),
    );
    expect(missing).toEqual([]);
  });

  it('filters of npm test match a test', () => {
    const filters = all(/^npm test -- ([\w/]+)/gm);
    const missing = filters.filter((filter) => !existsSync(join(ROOT, filterFile(filter))));
    expect(missing).toEqual([]);
  });

  it('names symbols that their files have', () => {
    const named = Array.from(
      page.matchAll(/`(\w+)` (?:of|in) `([\w/.-]+\.ts)`/g),
      ([, symbol = '', file = '']) => ({ symbol, file }),
    );
    expect(named.length).toBeGreaterThan(4);
    const missing = named.filter(
      ({ symbol, file }) => !new RegExp(`\\b${symbol}\\b`).test(readFileSync(join(ROOT, file), 'utf8')),
    );
    expect(missing).toEqual([]);
  });
});

const filterFile = (filter: string): string =>
  filter.startsWith('test/') ? `${filter}.test.ts` : `test/scenarios/${filter}.test.ts`;
