import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NameTable } from '../../src/dns/name-table.ts';
import { Resolver } from '../../src/dns/resolve.ts';
import { Responder } from '../../src/dns/responder.ts';
import { ReverseZone } from '../../src/dns/zones/reverse.ts';
import { ServiceZone } from '../../src/dns/zones/service.ts';
import { SERVICE_ZONE_DEFAULTS } from '../../src/dns/zones/settings.ts';
import { silentLogger } from '../../src/log.ts';
import { queryBytes } from '../dns/ask.ts';
import { flagsOf, rcodeOf, textOf } from '../dns/read.ts';
import { RecordedView } from '../dns/recorded-view.ts';
import { ConsulAgent } from '../support/consul.ts';
import { count } from '../support/counts.ts';

/**
 * The same random services in a real Consul agent and in our zones: the same answers to the same random questions.
 * Eight answers is Consul's limit over UDP, and below it there is nothing to differ about.
 */
const agent = new ConsulAgent({
  portOffset: 40,
  configuration: `
    dns_config {
      udp_answer_limit = 8
      node_ttl = "15s"
      service_ttl { "*" = "5s", "web" = "30s", "m*" = "20s" }
      soa { min_ttl = 7 }
    }`,
});
const settings = {
  ...SERVICE_ZONE_DEFAULTS,
  node: 'heddle-n1',
  nodeTtl: 15,
  serviceTtl: { '*': 5, web: 30, 'm*': 20 },
  soa: { ...SERVICE_ZONE_DEFAULTS.soa, minTtl: 7 },
};

beforeAll(() => agent.start());
afterAll(() => agent.stop());

const name = fc.constantFrom('web', 'db', 'MixedCase', 'my_svc', 'service', 'node');
const tag = fc.constantFrom(
  'v1',
  'V2',
  'site1.customer1',
  'site2.customer1',
  'tcp',
  'udp',
  'service',
  '_x',
  'a b',
);
const ipv4 = fc.constantFrom('10.2.1.1', '10.2.1.2', '10.2.200.3', '::ffff:10.2.1.4');
const address = fc.oneof({ weight: 5, arbitrary: ipv4 }, fc.constantFrom('', 'fd00:2::5', 'fd00::1:0:5'));
const weight = fc.constantFrom(1, 10, 65_535);
const service = fc.record({
  Name: name,
  Tags: fc.uniqueArray(tag, { maxLength: 3 }),
  Address: address,
  Port: fc.constantFrom(0, 80, 8080, 65_535),
  Weights: fc.record({ Passing: weight, Warning: weight }),
  status: fc.constantFrom('none', 'none', 'passing', 'warning', 'critical'),
});
const ELSEWHERE = ['backend.example.com', 'db.service.dc1.consul', 'gone.service.consul'];
/** At most one service that is reached by a host name: of several, Consul picks one by chance. */
const alias = fc.oneof(
  fc.record({ Name: fc.constant('web'), Address: fc.constantFrom(...ELSEWHERE), Port: fc.constant(443) }),
  fc.record({
    Name: fc.constant('alias'),
    Address: fc.constantFrom(...ELSEWHERE, 'Web.Service.consul'),
    Port: fc.constant(443),
  }),
);
/** Of two at one address and port, which may have different weights, Consul picks one by chance, too. */
const place = ({ Name, Address, Port }: { Name: string; Address: string; Port: number }) =>
  `${Name} ${Address} ${Port}`;
const services = fc.tuple(fc.uniqueArray(service, { maxLength: 7, selector: place }), fc.option(alias));

const left = fc.oneof(
  fc.constantFrom(
    'web',
    'db',
    'mixedcase',
    'MY_SVC',
    'alias',
    'nope',
    '_web._tcp',
    '_db._udp',
    '_web._v1',
    '_web',
  ),
  fc.tuple(fc.oneof(tag, fc.constant('v9')), name).map((labels) => labels.join('.')),
);
const suffix = fc.constantFrom('', '.dc1', '.DC1', '.dc9', '.dc1.extra');
const questionName = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(left, fc.constantFrom('.service', '.Service'), suffix)
      .map((parts) => `${parts.join('')}.consul`),
  },
  fc
    .tuple(fc.constantFrom('_web._tcp', '_db._v1', '_db._udp', '_web'), suffix)
    .map((parts) => `${parts.join('')}.consul`),
  fc
    .tuple(fc.constantFrom('heddle-n1', 'Heddle-N1', 'nope', 'a.b'), suffix)
    .map(([node, dc]) => `${node}.node${dc}.consul`),
  fc
    .tuple(
      fc.constantFrom(
        '0a020101',
        '0A0201FF',
        'fd000002000000000000000000000005',
        '0a02',
        '0a0201010',
        'zz020101',
      ),
      suffix,
    )
    .map(([digits, dc]) => `${digits}.addr${dc}.consul`),
  fc.constantFrom(
    'consul',
    'Consul',
    'service.consul',
    'foo.consul',
    'web.consul',
    'nope.query.consul',
    'web.connect.consul',
  ),
  fc.constantFrom('1.1.2.10.in-addr.arpa', '1.0.0.127.in-addr.arpa', 'example.com', 'web.service.notconsul'),
);
const type = fc.constantFrom(
  'A',
  'A',
  'AAAA',
  'SRV',
  'SRV',
  'ANY',
  'TXT',
  'MX',
  'CNAME',
  'NS',
  'SOA',
  'UNKNOWN_65',
  'AXFR',
);
const question = fc.record({
  name: questionName,
  type,
  rd: fc.boolean(),
  cd: fc.boolean(),
  size: fc.constantFrom(1232, 4096),
});

test('random services and questions have the answers that Consul gives', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      services,
      fc.array(question, { minLength: 30, maxLength: 30 }),
      async ([plain, alias], questions) => {
        const registrations = [...plain, ...(alias ? [alias] : [])].map(registrationOf);
        for (const { body } of registrations) await agent.put('/v1/agent/service/register', body);
        try {
          const view = new RecordedView(registrations);
          const zones = [
            new ServiceZone({ view }, settings),
            new ReverseZone({ view, names: new NameTable() }, settings, []),
          ];
          const resolver = new Resolver({ zones, log: silentLogger });
          const responder = new Responder({ resolver, recursionFor: () => false, log: silentLogger });
          for (const { name, type, rd, cd, size } of questions) {
            const packet = queryBytes(name, type, { rd, cd, edns: { size } });
            const [theirs, ours] = [
              await askConsul(packet),
              await responder.respond(packet, '127.0.0.1', 'udp'),
            ];
            expect(told(ours as Buffer), `${name} ${type}`).toEqual(told(theirs));
          }
        } finally {
          for (const { body } of registrations) await agent.put(`/v1/agent/service/deregister/${body.ID}`);
        }
      },
    ),
    { numRuns: count(100, 1_000), endOnFailure: true },
  );
});

function registrationOf({ status = 'none', ...rest }: Record<string, unknown>, index: number) {
  const check = { CheckID: `check-${index}`, TTL: '1h', Status: status };
  const body = { ID: `s${index}`, Name: '', ...rest, ...(status !== 'none' && { Check: check }) };
  return { via: 'agent-service', body } as { via: string; body: { ID: string; Name: string } };
}

/**
 * What a reply says but for the order of its records, the metadata of nodes, repetitions beside the answer, and which
 * of several services at one address has its reverse name.
 */
function told(reply: Buffer) {
  const decoded = dnsPacket.decode(reply);
  const section = (records: readonly dnsPacket.Answer[] = []) =>
    records
      .filter(({ type }) => type !== 'OPT' && type !== 'TXT')
      .map((record) => textOf(record).replace(/serial=\d+/, 'serial=now'))
      .map((text) => text.replace(/ PTR \S+\.service\./, ' PTR some.service.'))
      .sort();
  const unknown = decoded.questions?.[0]?.name.endsWith('.arpa') && rcodeOf(decoded) === 'SERVFAIL';
  return {
    // Consul's SERVFAIL for an unknown address is a fault that later versions do not have.
    ...(unknown ? { rcode: 'REFUSED', ra: false } : { rcode: rcodeOf(decoded), ra: decoded.flag_ra }),
    flags: flagsOf(decoded).filter((flag) => flag !== 'ra'),
    question: decoded.questions,
    answers: section(decoded.answers),
    authorities: section(decoded.authorities),
    additionals: [...new Set(section(decoded.additionals))],
  };
}

async function askConsul(packet: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4');
  try {
    socket.send(packet, agent.dnsPort, '127.0.0.1');
    const [reply] = (await once(socket, 'message', { signal: AbortSignal.timeout(5_000) })) as [Buffer];
    return reply;
  } finally {
    socket.close();
  }
}
