import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../scripts/root.ts';

const MOST_WORDS = 60;

const records = globSync('docs/decisions/*.md', { cwd: ROOT }).flatMap((page) =>
  readFileSync(join(ROOT, page), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('**'))
    .map((text) => ({ page, text, id: /^\*\*([A-Z]-\d+) /.exec(text)?.[1] })),
);

describe('docs/decisions', () => {
  it('gives every record an id of its own', () => {
    const ids = records.map(({ id, text }) => id ?? text);
    expect(ids.length).toBeGreaterThan(100);
    expect(ids.filter((id) => !/^[A-Z]-\d+$/.test(id))).toEqual([]);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
  });

  it(`says each in ${MOST_WORDS} words at most`, () => {
    const long = records.filter(({ text }) => text.split(/\s+/).length > MOST_WORDS);
    expect(long.map(({ id, text }) => `${id}: ${text.split(/\s+/).length} words`)).toEqual([]);
  });

  it('names files that exist', () => {
    const named = records.flatMap(({ id, text }) =>
      Array.from(text.matchAll(/`([\w/-]+\.ts)`/g), ([, file = '']) => ({ id, file })),
    );
    expect(named.length).toBeGreaterThan(50);
    const missing = named.filter(({ file }) => !existsSync(join(ROOT, 'src', file)));
    expect(missing.map(({ id, file }) => `${id}: src/${file}`)).toEqual([]);
  });
});
