import { beforeAll, expect, test } from 'vitest';
import { bothResolvers, serviceName } from '../support/both-resolvers.ts';
import { ConsulAgent } from '../support/consul.ts';
import { dataOf } from '../support/dig.ts';
import { exampleApp, runTask } from '../support/marathon.ts';
import { scenario } from '../support/scenario.ts';

const HOST = '192.0.2.10';

const consul = new ConsulAgent();
const flags = ['--registry', consul.uri, '--marathon-task-tags'];
const { daemon } = scenario({ consul, flags });
const { everywhere, answers } = bothResolvers(daemon, consul);
beforeAll(async () => expect((await daemon.command('create-bridge')).status).toBe(0));

/** `weight port` of every answer. */
const ports = (name: string, ...expected: readonly string[]) =>
  everywhere(serviceName(name), 'SRV', (reply) =>
    expect(dataOf(reply).map((data) => data.split(' ').slice(1, 3).join(' '))).toEqual(expected),
  );

test('site1.json: an app in groups answers by its place in the hierarchy', async () => {
  await using _task = await runTask(exampleApp('site1.json'), { host: HOST, ports: [31000] });
  await answers('site1.customer1.web', '10.2.1.3');
  await answers('site1-customer1.web', '10.2.1.3');
  await answers('web', '10.2.1.3');
  await ports('site1.customer1.web', '1 80');
});

test("shop-db.json: an app's labels are its metadata, and a further port has a name of its own", async () => {
  await using _task = await runTask(exampleApp('shop-db.json'), { host: HOST, ports: [31001, 31002] });
  for (const name of ['db.shop', 'primary.shop', 'eu.shop']) await answers(name, '10.2.1.4');
  await ports('shop', '10 5432');
  await ports('db-metrics', '10 9187');
});

test("published.json: instances without a weave address answer with the agent's address and Marathon's ports", async () => {
  const app = exampleApp('published.json');
  await using _one = await runTask(app, { host: HOST, ports: [31003] });
  await using _two = await runTask(app, { host: HOST, ports: [31004] });
  await answers('v1.api', HOST);
  await ports('v1.api', '1 31003', '1 31004');
});

test("host-network.json: a task in the host's network answers with the ports that Marathon gave it", async () => {
  await using task = await runTask(exampleApp('host-network.json'), { host: HOST, ports: [31005, 31006] });
  await answers('proxy.edge', HOST);
  await ports('proxy.edge', '1 31005');
  await ports('edge-31006', '1 31006');
  const [service] = (await consul.get<{ ServiceTags: string[] }[]>('/v1/catalog/service/edge')) ?? [];
  expect(service?.ServiceTags).toContainEqual(
    expect.stringMatching(/^marathon-task:proxy_edge\.[0-9a-f-]{36}$/),
  );
  expect((await daemon.command('explain', 'edge')).stdout).toContain(task.name);
});

test('two apps of one name are both reported', async () => {
  const at = (id: string, address: string) => {
    const app = exampleApp('site1.json');
    const parameters = [{ key: 'label', value: `heddle.cidr=${address}/16` }];
    return { ...app, id, container: { docker: { ...app.container.docker, parameters } } };
  };
  await using _one = await runTask(at('/web/b/a', '10.2.1.5'), { host: HOST, ports: [31007] });
  await using _two = await runTask(at('/web/a-b', '10.2.1.6'), { host: HOST, ports: [31008] });
  await answers('a.b.web', '10.2.1.5');
  await answers('a-b.web', '10.2.1.5', '10.2.1.6');
  const { stdout } = await daemon.command('ps');
  expect(stdout).toContain('the app /web/a-b also has the name a-b.web');
  expect(stdout).toContain('the app /web/b/a also has the name a-b.web');
});
