import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../scripts/root.ts';
import { CAPABILITIES } from '../../src/docker/heddle-container.ts';

test.each(['README.md', 'docs/remote.md', 'examples/compose/compose.yml', 'examples/systemd/heddle.service'])(
  '%s gives heddle every capability that launch gives it',
  async (path) => {
    const text = await readFile(join(ROOT, path), 'utf8');
    for (const capability of CAPABILITIES) expect(text).toContain(capability);
  },
);
