import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from '../../scripts/root.ts';
import { loadSettings } from '../../src/config/load.ts';

it('the example settings file is valid', async () => {
  const { settings } = await loadSettings({ flags: {}, env: {}, file: join(ROOT, 'examples/heddle.yml') });
  expect(settings).toMatchObject({
    registry: { kind: 'consul' },
    dnsListen: [{ ip: '127.0.0.1', port: 5353 }],
  });
});

const text = (name: string) => readFileSync(join(ROOT, 'examples', name), 'utf8');

it('the compose example pulls nothing from a public registry, where another program has the name heddle', () => {
  const { services } = parse(text('compose/compose.yml')) as { services: Record<string, object> };
  for (const service of Object.values(services)) expect(service).toMatchObject({ pull_policy: 'never' });
});

it('the systemd unit can be reloaded', () => {
  expect(text('systemd/heddle.service')).toMatch(/^ExecReload=\/bin\/kill -HUP \$MAINPID$/m);
});

it('the image has a health check of its daemon', () => {
  expect(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')).toMatch(/^HEALTHCHECK [\s\S]*?"healthcheck"\]$/m);
});
