import { afterAll, beforeAll, expect, test } from 'vitest';
import { compare, recorded, replay, replayed } from '../dns/recorded-cases.ts';
import type { Registration } from '../dns/recorded-view.ts';
import { AgentResolver } from '../support/agent-resolver.ts';
import { ConsulAgent } from '../support/consul.ts';

/** What a real agent answered, by heddle while an agent holds the registrations: all of them at once. */
const shared = replayed.filter(({ isolated }) => isolated !== true);
// Consul answers reverse names of other hosts: the zone alone does not have them.
const cases = shared.filter(({ query }) => !/\.arpa\.$/i.test(query.name ?? ''));

const agent = new ConsulAgent({ portOffset: 50, configuration: 'node_meta { zone = "z1" }' });
let heddle: AgentResolver;
beforeAll(async () => {
  await agent.start();
  for (const name of new Set(shared.flatMap(({ setup }) => setup))) {
    for (const registration of recorded.registrations[name] ?? []) await register(registration);
  }
  heddle = await AgentResolver.start(agent, {}, []);
});
afterAll(async () => {
  await heddle?.stop();
  await agent.stop();
});

test.each(cases)('$id', async (recordedCase) => {
  const { packet, reply } = await replay(heddle.registration.view, recordedCase);
  if (recordedCase.expected.no_response) expect(reply).toBeUndefined();
  else compare(packet, reply as Buffer, recordedCase.expected);
});

test('hardly any case is left out', () => {
  expect(cases.length).toBeGreaterThan(90);
});

function register({ via, body, id, enable, verb, check_id }: Registration): Promise<unknown> {
  const paths: Readonly<Record<string, string>> = {
    'agent-service': '/v1/agent/service/register',
    'agent-service-maintenance': `/v1/agent/service/maintenance/${id}?enable=${enable}`,
    'agent-check-update': `/v1/agent/check/${verb}/${check_id}`,
    catalog: '/v1/catalog/register',
  };
  return agent.put(paths[via] as string, body);
}
