import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../scripts/root.ts';
import { docker } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { succeed } from '../support/program.ts';
import { scenario } from '../support/scenario.ts';
import { shellWords } from '../support/shell-words.ts';

/** The lines of a section's first shell block, each with the text of its comment. */
function shellBlock(section: string): readonly { readonly line: string; readonly comment: string }[] {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const [, block = ''] = readme.slice(readme.indexOf(`## ${section}\n`)).split(/^```(?:sh)?\n/m);
  return block.split('\n').flatMap((text) => {
    const [line = '', comment = ''] = text.split('#').map((part) => part.trim());
    return line === '' ? [] : [{ line, comment }];
  });
}

afterAll(() => docker('rmi', 'nginx'));
const { daemon } = scenario({ keepContainers: true });
beforeAll(async () => {
  // No world reaches a public registry: another image of that name, which keeps running and has a port.
  await docker('run', '--name', 'image', 'busybox', 'true');
  await docker('commit', '-c', 'CMD ["sleep", "3600"]', '-c', 'EXPOSE 80', 'image', 'nginx');
  await docker('rm', 'image');
});

test('the first five minutes of the README work as printed', async () => {
  const lines = shellBlock('The first five minutes').filter(({ line }) => !/^npm|daemon &$/.test(line));
  expect(lines.length).toBeGreaterThan(6);
  for (const { line, comment } of lines) {
    const [program = '', ...args] = shellWords(line);
    if (program === 'heddle') {
      expect({ line, ...(await daemon.command(...args)) }).toMatchObject({ status: 0, stderr: '' });
      continue;
    }
    const expected = (comment.match(/\d+\.\d+\.\d+\.\d+/g) ?? []).sort();
    await eventually(async () => {
      const found = await succeed(program, ['+short', ...args]);
      expect(found, line).not.toBe('');
      if (expected.length > 0) expect(found.split('\n').sort(), line).toEqual(expected);
    });
  }
});
