import { expect, test } from 'vitest';
import { loadSettings } from '../../src/config/load.ts';
import { collectLeftovers, openRegistry } from '../../src/registry/open.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { FakeConsul } from '../support/fake-consul.ts';

const settingsOf = async (flags: object, env = {}) => (await loadSettings({ flags, env })).settings;
const open = async (flags: object, env = {}) =>
  openRegistry(await settingsOf(flags, env), { hostId: '0123456789ab', log: silentLogger });
const tls = 'consul-tls://127.0.0.1:1';

test('by default the registry is the embedded one, without other hosts', async () => {
  expect((await open({})).registry.name).toBe('embedded');
  for (const gone of [{ hostId: '0123456789ab' }, { registrator: 'host1' }]) {
    const collected = collectLeftovers(await settingsOf({}), gone, { dryRun: true });
    await expect(collected).rejects.toMatchObject({ code: 'not-supported' });
  }
});

test('the node in the catalog is named after the host-id and has the given address', async () => {
  const opened = await open({
    registry: 'consul://127.0.0.1:1',
    consulMode: 'catalog',
    ip: '192.0.2.7',
  });
  expect(opened.node()).toEqual({
    name: 'heddle-0123456789ab',
    address: '192.0.2.7',
    datacenter: 'dc1',
    meta: { 'heddle-owner': 'heddle', 'heddle-host': '0123456789ab' },
  });
  expect(opened.registry).toMatchObject({ name: 'consul://127.0.0.1:1 (catalog)', checkedBy: 'heddle' });
});

test.each([
  [
    { registry: 'consul://a:1', consulDatacenter: 'dc2' },
    {},
    /an agent registers only in its own datacenter/,
  ],
  [{ registry: tls, consulCert: '/x.pem' }, {}, /^--consul-cert requires --consul-key$/],
  [{ registry: tls }, { CONSUL_CLIENT_KEY: '/x.pem' }, /^--consul-key requires --consul-cert$/],
  [{ registry: tls }, { CONSUL_CACERT: '/no/such.pem' }, /^cannot read --consul-ca \/no\/such.pem: ENOENT/],
])('%j with %j is refused with a sentence', async (flags, env, message) => {
  await expect(open(flags, env)).rejects.toMatchObject({
    code: 'bad-input',
    message: expect.stringMatching(message),
  });
});

test('requested TLS is used for any scheme of the address, and proxies get their password', async () => {
  const { registry } = await settingsOf(
    {},
    { CONSUL_HTTP_ADDR: 'http://127.0.0.1:8500', CONSUL_HTTP_SSL: 'true' },
  );
  const named = await open({}, { CONSUL_HTTP_ADDR: 'http://127.0.0.1:8500', CONSUL_HTTP_SSL: 'true' });
  expect([registry, named.registry.name]).toEqual([
    { kind: 'consul', host: '127.0.0.1', port: 8500, tls: false },
    'consul-tls://127.0.0.1:8500',
  ]);
  const fake = await FakeConsul.start();
  const env = { CONSUL_HTTP_ADDR: `127.0.0.1:${fake.port}`, CONSUL_HTTP_AUTH: 'joe:s:cret' };
  await (await open({}, env)).registry.ready();
  expect(fake.lastHeaders.authorization).toBe(`Basic ${Buffer.from('joe:s:cret').toString('base64')}`);
  await fake.stop();
});

test('TLS files are ignored without TLS', async () => {
  await expect(
    open({ registry: 'consul://127.0.0.1:1' }, { CONSUL_CACERT: '/no/such.pem' }),
  ).resolves.toBeDefined();
});

test('a changed agent is followed; an agent that only lost its data counts as the same', async () => {
  const fake = await FakeConsul.start();
  const opened = await open({ registry: `consul://127.0.0.1:${fake.port}` });
  let learnt = 0;
  const is = async (NodeName: string, Addr: string, NodeID = '1', Version = '1.8.7') => {
    const Config = { NodeName, NodeID, Datacenter: 'dc1', Version };
    fake.overrides.set('GET /v1/agent/self', { status: 200, body: { Config, Member: { Addr } } });
    await opened.registry.list();
    return [learnt, opened.node().name, opened.node().address, opened.advertised()];
  };
  fake.overrides.set('GET /v1/agent/self', { status: 500, body: 'No cluster leader' });
  await opened.start(() => learnt++);
  expect(opened.advertised()).toBeUndefined();
  expect(await is('n1', '192.0.2.1')).toEqual([1, 'n1', '192.0.2.1', '192.0.2.1']);
  expect(await is('n1', '192.0.2.1', '2')).toEqual([1, 'n1', '192.0.2.1', '192.0.2.1']);
  expect(await is('n2', '192.0.2.1', '2')).toEqual([2, 'n2', '192.0.2.1', '192.0.2.1']);
  expect(await is('n2', '192.0.2.2', '2')).toEqual([3, 'n2', '192.0.2.2', '192.0.2.2']);
  expect(await is('n2', '192.0.2.2', '2', '1.13.0')).toEqual([4, 'n2', '192.0.2.2', '192.0.2.2']);
  await opened.stop();
  await fake.stop();
});

test('in catalog mode the node is this host, not the agent that answers', async () => {
  const fake = await FakeConsul.start();
  const opened = await open({
    registry: `consul://127.0.0.1:${fake.port}`,
    consulMode: 'catalog',
    ip: '192.0.2.7',
  });
  await opened.start(() => {});
  expect([opened.node().address, opened.advertised()]).toEqual(['192.0.2.7', undefined]);
  await opened.stop();
  await fake.stop();
});
