import { isIP } from 'node:net';
import fc from 'fast-check';
import { reverseName } from '../../src/dns/lookup.ts';
import type { RosterEntry } from '../../src/roster/entry.ts';
import { entryOf } from '../support/roster.ts';

/** Random services in Consul, and random questions about them: every form of name, and near misses. */

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
const lan = (ip: fc.Arbitrary<string>) => ip.map((Address) => ({ Address, Port: 80 }));
const tagged = fc.record(
  { lan_ipv4: lan(fc.constantFrom('10.2.1.1', '10.2.4.4')), lan_ipv6: lan(fc.constantFrom('fd00:2::6')) },
  { requiredKeys: [] },
);
/** A container of this host, a service of another host's node, or a service registered with the agent by others. */
const CONTAINER = Symbol('container');
const onNode = fc.constantFrom(CONTAINER, CONTAINER, CONTAINER, undefined, undefined, 'weave-h2', 'Far.Away');
interface RandomService {
  readonly Name: string;
  readonly Address: string;
  readonly Port: number;
  readonly TaggedAddresses?: Readonly<Record<string, { readonly Address: string } | undefined>> | undefined;
  readonly Tags?: readonly string[];
  readonly Weights?: { readonly Passing: number; readonly Warning: number };
  readonly onNode?: string | undefined | typeof CONTAINER;
  readonly status?: string;
  /** Whether the agent runs the check of a container, or heddle reports its HEALTHCHECK. */
  readonly byAgent?: boolean;
}

const service: fc.Arbitrary<RandomService> = fc.record({
  onNode,
  Name: name,
  Tags: fc.uniqueArray(tag, { maxLength: 3 }),
  Address: address,
  TaggedAddresses: fc.option(tagged, { nil: undefined, freq: 4 }),
  Port: fc.constantFrom(0, 80, 8080, 65_535),
  Weights: fc.record({ Passing: weight, Warning: weight }),
  status: fc.constantFrom('none', 'none', 'passing', 'warning', 'critical'),
  byAgent: fc.boolean(),
});
const ELSEWHERE = ['backend.example.com', 'db.service.dc1.consul', 'gone.service.consul'];
/** At most one service that is reached by a host name: of several, Consul picks a random one. */
const alias = fc.oneof(
  fc.record({
    onNode,
    Name: fc.constant('web'),
    Address: fc.constantFrom(...ELSEWHERE),
    Port: fc.constant(443),
  }),
  fc.record({
    onNode,
    Name: fc.constant('alias'),
    Address: fc.constantFrom(...ELSEWHERE, 'Web.Service.consul'),
    Port: fc.constant(443),
  }),
);
/** Of two at one address and port, which may differ in weight, Consul also picks a random one. */
const place = (service: RandomService) =>
  `${service.Name.toLowerCase()} ${addressOf(service)} ${service.Port}`;
const addressOf = ({ onNode, Address, TaggedAddresses: tagged }: RandomService) =>
  onNode === CONTAINER
    ? (otherAddress(Address, tagged) ?? ownAddress(Address))
    : (tagged?.lan_ipv6?.Address ?? tagged?.lan_ipv4?.Address ?? Address);
/** The IPv6 address of a container that also has an IPv4 address. */
const otherAddress = (own: string, tagged: RandomService['TaggedAddresses']) =>
  isIP(ownAddress(own)) === 4 ? tagged?.lan_ipv6?.Address : undefined;
/** Containers have an address, in the kernel's form. */
const ownAddress = (address: string) => (isIP(address) === 0 ? '10.2.1.1' : address.replace('::ffff:', ''));
export const randomServices = fc.tuple(
  fc.uniqueArray(service, { maxLength: 7, selector: place }),
  fc.option(alias),
);

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
const domain = fc.constantFrom('consul', 'consul', 'Consul', 'alt.example', 'ALT.example');
const questionName = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(left, fc.constantFrom('.service.', '.Service.'), suffix, domain)
      .map(([name, keyword, dc, end]) => `${name}${keyword.slice(0, -1)}${dc}.${end}`),
  },
  fc
    .tuple(fc.constantFrom('_web._tcp', '_db._v1', '_db._udp', '_web'), suffix, domain)
    .map(([name, dc, end]) => `${name}${dc}.${end}`),
  fc
    .tuple(fc.constantFrom('heddle-n1', 'Heddle-N1', 'weave-h2', 'far.away', 'nope', 'a.b'), suffix, domain)
    .map(([node, dc, end]) => `${node}.node${dc}.${end}`),
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
      // Below a second domain, Consul's answer has another owner than the question.
      fc.constantFrom('consul', 'Consul'),
    )
    .map(([digits, dc, end]) => `${digits}.addr${dc}.${end}`),
  fc.constantFrom(
    'consul',
    'Consul',
    'service.consul',
    'foo.consul',
    'web.consul',
    'nope.query.consul',
    'web.connect.consul',
  ),
  fc
    .constantFrom('10.2.1.1', '10.2.200.3', '127.0.0.1', '192.168.0.2', '203.0.113.9', 'fd00:2::5', 'fd00::9')
    .map(reverseName),
  fc.constantFrom('example.com', 'web.service.notconsul', 'alt.example', 'notalt.example'),
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
export const randomQuestion = fc.record({
  name: questionName,
  type,
  rd: fc.boolean(),
  cd: fc.boolean(),
  transport: fc.constantFrom('udp', 'udp', 'tcp'),
  /** The UDP size in its EDNS record; undefined without one. */
  size: fc.constantFrom(undefined, 512, 1232, 4096),
});

/** The API path for each kind of registration. */
export const PATHS = {
  'agent-service': '/v1/agent/service/register',
  catalog: '/v1/catalog/register',
} as const;
const NODES: Readonly<Record<string, object>> = {
  'weave-h2': {
    Address: '192.168.0.2',
    NodeMeta: { rack: 'r7', 'rfc1035-note': 'plain text', 'k=ey': 'v`al' },
  },
  'Far.Away': { Address: 'fd00::9' },
};

/** Random services as registered with Consul, and those that are our containers. */
export function registered([plain, alias]: RandomServices): {
  readonly registrations: readonly Registered[];
  readonly containers: readonly RosterEntry[];
} {
  const all = [...plain, ...(alias ? [alias] : [])].map((service, index) => ({ service, index }));
  const [containers, others] = [true, false].map((are) =>
    all.filter(({ service }) => (service.onNode === CONTAINER) === are),
  ) as [typeof all, typeof all];
  return {
    registrations: others.map(({ service, index }) => registrationOf(service, index)),
    containers: containers.map(({ service, index }) => containerOf(service, index)),
  };
}

function registrationOf(
  { onNode, status = 'none', byAgent: _, Name, ...rest }: RandomService,
  index: number,
) {
  const ID = `s${index}`;
  const Check = { CheckID: `check-${index}`, Name: 'check', Status: status };
  const [onAgent, inCatalog] =
    status === 'none'
      ? [{}, {}]
      : [{ Check: { ...Check, TTL: '1h' } }, { Check: { ...Check, Node: onNode, ServiceID: ID } }];
  return typeof onNode === 'string'
    ? ({
        via: 'catalog',
        body: { Node: onNode, ...NODES[onNode], Service: { ID, Service: Name, ...rest }, ...inCatalog },
      } as const)
    : ({ via: 'agent-service', body: { ID, Name, ...rest, ...onAgent } } as const);
}

/** The state of a container's HEALTHCHECK for a status of its check. */
const HEALTH = { none: 'none', passing: 'healthy', warning: 'starting', critical: 'unhealthy' } as const;

/** The same service, as a container's. */
function containerOf(service: RandomService, index: number): RosterEntry {
  const { Name, Address, Port, Tags = [], Weights, status = 'none', byAgent } = service;
  const isRun = byAgent === true && status !== 'none' && Port > 0;
  return entryOf({
    id: `${index}`.padEnd(64, 'c'),
    ip: ownAddress(Address),
    ipv6: otherAddress(Address, service.TaggedAddresses),
    ports: Port > 0 ? [Port] : [],
    health: isRun ? 'none' : HEALTH[status as keyof typeof HEALTH],
    env: {
      SERVICE_NAME: Name,
      SERVICE_TAGS: Tags.join(','),
      ...(Weights && { SERVICE_WEIGHT: `${Weights.Passing},${Weights.Warning}` }),
      ...(isIP(Address) === 0 && Address !== '' && { SERVICE_ADDRESS: Address }),
      // The agent's first check runs at a random time of the first interval: none within this test.
      ...(isRun && {
        SERVICE_CHECK_TCP: 'true',
        SERVICE_CHECK_INTERVAL: '48h',
        SERVICE_CHECK_INITIAL_STATUS: status,
      }),
    },
  });
}

type RandomServices = typeof randomServices extends fc.Arbitrary<infer T> ? T : never;

export interface Registered {
  readonly via: keyof typeof PATHS;
  readonly body: {
    readonly ID?: string;
    readonly Node?: string | undefined;
    readonly [field: string]: unknown;
  };
}
