import { expect, test } from 'vitest';
import { loadSettings } from '../../src/config/load.ts';

test.each([
  ['CONSUL_HTTP_SSL', '1', 'consulTls', true],
  ['CONSUL_HTTP_SSL', 'FALSE', 'consulTls', false],
  ['CONSUL_HTTP_SSL_VERIFY', '0', 'consulVerify', false],
  ['CONSUL_HTTP_SSL_VERIFY', 't', 'consulVerify', true],
  ['CONSUL_TLSCERT', '/c.pem', 'consulCert', '/c.pem'],
  ['CONSUL_TLSKEY', '/k.pem', 'consulKey', '/k.pem'],
  ['CONSUL_CAPATH', '/ca', 'consulCaPath', '/ca'],
  ['CONSUL_TLS_SERVER_NAME', 'server.dc1.consul', 'consulServerName', 'server.dc1.consul'],
  ['CONSUL_HTTP_AUTH', 'joe:s:cret', 'consulAuth', 'joe:s:cret'],
  ['CONSUL_PARTITION', 'p1', 'consulPartition', 'p1'],
] as const)('%s=%s', async (variable, value, name, expected) => {
  const { settings } = await loadSettings({ flags: {}, env: { [variable]: value } });
  expect(settings[name]).toBe(expected);
});

test('an invalid switch is refused with the name of the variable, and a secret is not shown', async () => {
  const load = (env: Record<string, string>) => loadSettings({ flags: {}, env });
  await expect(load({ CONSUL_HTTP_SSL: 'yes' })).rejects.toThrow(
    "CONSUL_HTTP_SSL: 'yes' is neither true nor false",
  );
  await expect(load({ CONSUL_HTTP_AUTH: ':s3cret' })).rejects.toThrow(
    /^CONSUL_HTTP_AUTH: is not user:password$/,
  );
});
