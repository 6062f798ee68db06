import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../scripts/root.ts';

const page = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');
/** Every row of its tables except the headers. */
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('|') && !/^\|[\s|-]+\|$/.test(line) && !line.startsWith('| what |'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
const tests = new Set(globSync('test/**/*.test.ts', { cwd: ROOT }));

describe('docs/security.md', () => {
  it.each(rows)('names tests that exist for: %s', (...cells) => {
    expect(cells, 'what, bound, what happens beyond it, test').toHaveLength(4);
    const named = (cells[3] ?? '').split(',').map((name) => name.trim());
    expect(named).not.toEqual(['']);
    for (const name of named) expect([...tests], name).toContain(name);
  });
});
