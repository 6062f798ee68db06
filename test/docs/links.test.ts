import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../../scripts/root.ts';

const pages = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md'], { cwd: ROOT });
const textOf = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

/** The anchors of a page's headings, as GitHub makes them. */
const anchorsOf = (page: string): ReadonlySet<string> =>
  new Set(
    Array.from(textOf(page).matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );

function isBroken(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(ROOT, target))) return true;
  if (anchor === undefined || statSync(join(ROOT, target)).isDirectory()) return false;
  return !anchorsOf(target).has(anchor);
}

it('every link of the documentation leads to a page and a heading that exist', () => {
  const links = pages
    .flatMap((page) =>
      Array.from(textOf(page).matchAll(/\]\(([^)\s]+)\)/g), ([, link = '']) => ({ page, link })),
    )
    .filter(({ link }) => !/^[a-z]+:/.test(link));
  expect(links.length).toBeGreaterThan(50);
  const broken = links.filter(({ page, link }) => isBroken(page, link));
  expect(broken.map(({ page, link }) => `${page}: ${link}`)).toEqual([]);
});
