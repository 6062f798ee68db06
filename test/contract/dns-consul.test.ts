import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { queryBytes } from '../dns/ask.ts';
import { comparable, isConsuls } from '../dns/comparable.ts';
import {
  PATHS,
  type Registered,
  randomQuestion,
  randomServices,
  registered,
} from '../dns/random-registry.ts';
import { rcodeOf } from '../dns/read.ts';
import { AgentResolver } from '../support/agent-resolver.ts';
import { ConsulAgent } from '../support/consul.ts';
import { count } from '../support/counts.ts';
import { eventually } from '../support/eventually.ts';
import { exchange } from '../support/exchange.ts';

/**
 * The same random services in a real Consul agent and in heddle, some of them containers that it registers there and
 * the others what it sees there: the same answers to the same random questions. Eight answers is Consul's limit over
 * UDP, and below it there is nothing to differ about.
 */
const PROFILES = {
  'TTLs of many kinds': {
    consul: `
      dns_config {
        udp_answer_limit = 8
        node_ttl = "15s"
        service_ttl { "*" = "5s", "web" = "30s", "m*" = "20s" }
      }`,
    flags: { nodeTtl: '15s', serviceTtl: ['*=5s', 'web=30s', 'm*=20s'] },
    runs: count(40, 700),
  },
  'only what passes, and a second domain': {
    consul: `
      alt_domain = "Alt.Example"
      dns_config { udp_answer_limit = 8, only_passing = true }`,
    flags: { onlyPassing: true, altDomain: 'Alt.Example' },
    runs: count(15, 300),
  },
};

describe.each(Object.entries(PROFILES))('with %s', (_, { consul, flags, runs }) => {
  const agent = new ConsulAgent({ portOffset: 40, configuration: `node_meta { rack = "r=1" }\n${consul}` });
  /** Other names are forwarded to that Consul, which refuses them. */
  const forward = ['example.com', 'notconsul', 'alt.example', 'notalt.example', 'arpa']
    .filter((domain) => !('altDomain' in flags) || domain !== flags.altDomain.toLowerCase())
    .map((domain) => `${domain}=127.0.0.1:${agent.dnsPort}`);
  beforeAll(() => agent.start());
  afterAll(() => agent.stop());

  test("random queries about random services get Consul's answers", { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        randomServices,
        fc.array(randomQuestion, { minLength: 30, maxLength: 30 }),
        async (services, questions) => {
          const { registrations, containers } = registered(services);
          for (const { via, body } of registrations) await agent.put(PATHS[via], body);
          const heddle = await AgentResolver.start(agent, { forward, ...flags }, containers);
          try {
            const ports = { theirs: agent.dnsPort, ours: heddle.port };
            const same = () => Promise.all(questions.map((question) => compare(question, ports)));
            await eventually(same, { every: 10 });
            // The queried names are watched now, so a removal is seen soon.
            await forget(agent, registrations.find(({ via }) => via === 'agent-service')?.body);
            await eventually(same, { every: 10 });
          } finally {
            await heddle.stop();
            for (const { body } of registrations) await forget(agent, body);
          }
        },
      ),
      { numRuns: runs, endOnFailure: true },
    );
  });
});

type Question = typeof randomQuestion extends fc.Arbitrary<infer T> ? T : never;

async function compare(question: Question, ports: { readonly theirs: number; readonly ours: number }) {
  const { name, type, rd, cd, size, transport } = question;
  // Names of an own zone are never forwarded.
  if (type === 'AXFR' && isConsuls(name)) return;
  const packet = queryBytes(name, type, { rd, cd, ...(size !== undefined && { edns: { size } }) });
  const what = `${name} ${type} ${size} ${transport}`;
  const [theirs, reply, whole] = await Promise.all([
    exchange(ports.theirs, packet, transport),
    exchange(ports.ours, packet, transport),
    exchange(ports.theirs, packet, 'tcp'),
  ]);
  if (transport === 'udp') expect(reply.length, what).toBeLessThanOrEqual(size ?? 512);
  // If not all records fit, Consul omits other records than heddle, and mostly more of them.
  const [ours, expected] = [comparable(reply), comparable(whole)];
  if (!isCut(reply)) {
    expect(ours, what).toEqual(expected);
    if (isComparable(whole, name)) expect(reply.length, what).toBeLessThanOrEqual(whole.length);
    return;
  }
  const { answers, additionals, flags, ...rest } = ours;
  expect({ ...rest, flags: flags.filter((flag) => flag !== 'tc') }, what).toEqual({
    ...expected,
    ...{ answers: undefined, additionals: undefined },
  });
  expect(expected.answers, what).toEqual(expect.arrayContaining(answers));
  expect(expected.additionals, what).toEqual(expect.arrayContaining(additionals));
  expect(answers.length, what).toBeGreaterThanOrEqual(comparable(theirs).answers.length);
}

const isCut = (reply: Buffer) => dnsPacket.decode(reply).flag_tc;

/** heddle's answers are no longer than Consul's, except refusals (Consul's have no OPT record) and reverse names. */
const isComparable = (reply: Buffer, name: string) =>
  rcodeOf(dnsPacket.decode(reply)) !== 'REFUSED' && !isConsuls(name);

async function forget(agent: ConsulAgent, body: Registered['body'] | undefined): Promise<void> {
  if (body?.Node !== undefined) await agent.put('/v1/catalog/deregister', { Node: body.Node });
  else if (body) await agent.put(`/v1/agent/service/deregister/${body.ID}`);
}
