import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../../scripts/root.ts';
import { loadSettings } from '../../src/config/load.ts';

it('the example settings file is understood', async () => {
  const { settings } = await loadSettings({ flags: {}, env: {}, file: join(ROOT, 'examples/heddle.yml') });
  expect(settings).toMatchObject({
    registry: { kind: 'consul' },
    dnsListen: [{ ip: '127.0.0.1', port: 5353 }],
  });
});
