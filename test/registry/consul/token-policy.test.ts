import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ROOT } from '../../../scripts/root.ts';
import { CATALOG_TOKEN_POLICY, TOKEN_POLICY } from '../../../src/registry/consul/api/errors.ts';

test('docs/consul.md names exactly the policies that are tested on a Consul that denies by default', () => {
  const page = readFileSync(`${ROOT}/docs/consul.md`, 'utf8');
  const policies = [...page.matchAll(/```hcl\n([^`]*)```/g)].map(([, text = '']) => text.trim());
  expect(policies.map((text) => text.replaceAll('\n', ' '))).toEqual([TOKEN_POLICY, CATALOG_TOKEN_POLICY]);
});
