import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../scripts/root.ts';

const page = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
const files = globSync('{src,test}/**/*.ts', { cwd: ROOT }).map((file) => `/${file}`);
const folders = new Set(globSync('src/*/', { cwd: ROOT }).map((folder) => folder.replace(/^src\/|\/$/g, '')));

describe('docs/architecture.md', () => {
  it('names files that exist', () => {
    const named = Array.from(page.matchAll(/`([\w/-]+\.ts)`/g), ([, file = '']) => file);
    expect(named.length).toBeGreaterThan(80);
    expect(named.filter((name) => !files.some((file) => file.endsWith(`/${name}`)))).toEqual([]);
  });

  it('names every folder of src', () => {
    const named = new Set(Array.from(page.matchAll(/\*\*([a-z-]+)\/\*\*/g), ([, folder = '']) => folder));
    expect(named).toEqual(folders);
  });

  it('begins with the glossary', () => {
    expect(/^## (.+)$/m.exec(page)?.[1]).toBe('Glossary');
  });
});
