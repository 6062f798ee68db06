/** `node scripts/settings-page.ts`: writes docs/settings.md from the settings themselves. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.ts';
import { settingsPage } from './settings/page.ts';

writeFileSync(join(ROOT, 'docs/settings.md'), settingsPage());
