import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../../scripts/root.ts';
import { settingsPage } from '../../scripts/settings/page.ts';

it('docs/settings.md is what `node scripts/settings-page.ts` writes today', () => {
  expect(readFileSync(join(ROOT, 'docs/settings.md'), 'utf8')).toBe(settingsPage());
});
