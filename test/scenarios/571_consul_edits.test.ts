import { expect, test } from 'vitest';
import { ConsulAgent } from '../support/consul.ts';
import { dataOf, dig } from '../support/dig.ts';
import { eventually } from '../support/eventually.ts';
import { scenario } from '../support/scenario.ts';

const consul = new ConsulAgent();
const { daemon } = scenario({ consul, flags: ['--registry', consul.uri] });

const web = 'web.service.dc1.consul';
const asWeb = ['-e', 'SERVICE_NAME=web', '--expose', '80'];
/** Both resolvers, of heddle and of Consul, answer with exactly these. */
const answers = (...expected: readonly string[]) =>
  eventually(async () => {
    for (const port of [consul.dnsPort, daemon.dnsPort]) {
      expect(dataOf(await dig(web, { port })), `at ${port}`).toEqual(expected);
    }
  });
const idOf = async () => Object.keys(await consul.services())[0] as string;

test('maintenance of a service or of the node takes out services without checks, and its end restores them', async () => {
  await using _web = await daemon.run(['10.2.1.1/16'], asWeb);
  await answers('10.2.1.1');
  const service = `/v1/agent/service/maintenance/${encodeURIComponent(await idOf())}`;
  for (const path of [service, '/v1/agent/maintenance']) {
    await consul.put(`${path}?enable=true&reason=work`);
    await answers();
    expect((await daemon.command('explain', 'web')).stdout).toContain('Maintenance Mode');
    await consul.put(`${path}?enable=false`);
    await answers('10.2.1.1');
  }
});

test('a foreign check on a service or on the node counts', async () => {
  await using _web = await daemon.run(['10.2.1.1/16'], asWeb);
  await answers('10.2.1.1');
  for (const ServiceID of [await idOf(), undefined]) {
    await consul.put('/v1/agent/check/register', { ID: 'disk', Name: 'disk', TTL: '1h', ServiceID });
    await answers();
    await consul.put('/v1/agent/check/pass/disk');
    await answers('10.2.1.1');
    await consul.put('/v1/agent/check/deregister/disk');
  }
});

test('entries removed from the catalog or changed there are corrected within seconds', async () => {
  await using _web = await daemon.run(['10.2.1.1/16'], asWeb);
  await answers('10.2.1.1');
  const ServiceID = await idOf();
  const Node = 'heddle-n1';
  await consul.put('/v1/catalog/deregister', { Node, ServiceID });
  expect(await consul.catalog()).not.toHaveProperty([ServiceID]);
  await eventually(async () => expect(await consul.catalog()).toHaveProperty([ServiceID]), { within: 8000 });
  await answers('10.2.1.1');
  const entry = (await consul.catalog())[ServiceID];
  const changed = { ...entry, Address: '10.9.9.9', Port: 81 };
  await consul.put('/v1/catalog/register', {
    Node,
    Address: '127.0.0.1',
    SkipNodeUpdate: true,
    Service: changed,
  });
  expect((await consul.catalog())[ServiceID]).toMatchObject({ Address: '10.9.9.9' });
  await eventually(
    async () => expect((await consul.catalog())[ServiceID]).toMatchObject({ Address: '10.2.1.1' }),
    {
      within: 8000,
    },
  );
});

test('gc skips a name and an id with control characters, and reports it', async () => {
  const gone = '0123456789ab';
  const Meta = { 'heddle-owner': 'heddle', 'heddle-host': gone };
  const register = (ID: string, Service: string) =>
    consul.put('/v1/catalog/register', {
      Node: 'other',
      Address: '192.0.2.9',
      Service: { ID, Service, Meta },
    });
  await register('right', 'right');
  await register('odd\u0007id', 'odd');
  await register('bad', 'ba\u001b]0;d');
  const collected = await daemon.command('gc', '--host', gone);
  expect(collected).toMatchObject({ status: 0, stderr: expect.stringContaining('skipped "ba') });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may reach a terminal
  expect(collected.stdout + collected.stderr).not.toMatch(/[\u0007\u001b]/);
  expect(Object.keys(await consul.catalog('other'))).toEqual(['bad']);
});
