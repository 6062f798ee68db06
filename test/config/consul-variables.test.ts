import { expect, test } from 'vitest';
import { ignoredConsulVariables, understoodConsulVariables } from '../../src/config/consul-variables.ts';
import { loadSettings } from '../../src/config/load.ts';

/** Those of Consul's client (`api/api.go`), and registrator's two. */
const OF_CONSULS_CLIENT = [
  ...[
    'CONSUL_HTTP_ADDR',
    'CONSUL_HTTP_TOKEN',
    'CONSUL_HTTP_TOKEN_FILE',
    'CONSUL_HTTP_AUTH',
    'CONSUL_HTTP_SSL',
  ],
  ...[
    'CONSUL_HTTP_SSL_VERIFY',
    'CONSUL_TLS_SERVER_NAME',
    'CONSUL_CACERT',
    'CONSUL_CAPATH',
    'CONSUL_CLIENT_CERT',
  ],
  ...['CONSUL_CLIENT_KEY', 'CONSUL_NAMESPACE', 'CONSUL_PARTITION', 'CONSUL_TLSCERT', 'CONSUL_TLSKEY'],
  ...['CONSUL_GRPC_ADDR', 'CONSUL_GRPC_CACERT', 'CONSUL_GRPC_CAPATH'],
];

test.each(OF_CONSULS_CLIENT)('%s is a setting, or one line says that it is none', (name) => {
  const said = ignoredConsulVariables({ [name]: 'x' });
  if (understoodConsulVariables().includes(name)) expect(said).toBeUndefined();
  else expect(said).toContain(`no effect of ${name} (`);
});

test('all that do nothing are in one line, without their values', () => {
  const env = {
    CONSUL_GRPC_ADDR: 's3cret:8502',
    CONSUL_HTTP_TOKN: 's3cret',
    CONSUL_EMPTY: '',
    HOME: '/root',
  };
  const said = ignoredConsulVariables(env) ?? '';
  expect(said).toMatch(
    /^no effect of CONSUL_GRPC_ADDR \(heddle asks Consul by HTTP alone\), CONSUL_HTTP_TOKN; understood are CONSUL_HTTP_ADDR, /,
  );
  expect(said).not.toMatch(/s3cret|CONSUL_EMPTY|\n/);
  expect(ignoredConsulVariables({ CONSUL_HTTP_ADDR: 'a' })).toBeUndefined();
});

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

test('what is neither yes nor no is refused with the name of the variable, and a secret is not shown', async () => {
  const load = (env: Record<string, string>) => loadSettings({ flags: {}, env });
  await expect(load({ CONSUL_HTTP_SSL: 'yes' })).rejects.toThrow(
    "CONSUL_HTTP_SSL: 'yes' is neither true nor false",
  );
  await expect(load({ CONSUL_HTTP_AUTH: ':s3cret' })).rejects.toThrow(
    /^CONSUL_HTTP_AUTH: is not user:password$/,
  );
});
