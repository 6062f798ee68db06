import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import type { AnswerCache } from '../../src/dns/cache/answer-cache.ts';
import { Resolver } from '../../src/dns/resolve.ts';
import { Responder } from '../../src/dns/responder.ts';
import { ServiceZone } from '../../src/dns/zones/service.ts';
import { SERVICE_ZONE_DEFAULTS } from '../../src/dns/zones/settings.ts';
import { silentLogger } from '../../src/log.ts';
import type { Instance, NodeEntry, View } from '../../src/registry/registry.ts';
import { queryBytes } from './ask.ts';
import { flagsOf, rcodeOf, textOf } from './read.ts';

/** Services that change. */
export class ChangingView {
  readonly services = new Map<string, Instance[]>();
  datacenter = 'dc1';

  instances(service: string): readonly Instance[] {
    return [...(this.services.get(service) ?? [])];
  }

  node(): NodeEntry {
    return { address: '192.0.2.1', meta: {} };
  }

  set(name: string, addresses: readonly string[], status: Instance['status'] = 'passing'): void {
    this.services.set(
      name,
      addresses.map((address, index) => ({
        node: 'n1',
        nodeAddress: '192.0.2.1',
        status,
        service: {
          id: `${name}-${index}`,
          name,
          tags: index % 2 === 0 ? ['even'] : ['odd'],
          address,
          port: 80 + index,
          meta: {},
          checks: [],
          weights: { passing: 10, warning: 3 },
        },
      })),
    );
  }
}

/** A responder for the services of a view, at a moment for ever: the serial of the SOA is the time. */
export function responderOf(
  view: Pick<View, 'instances' | 'node'> & { readonly datacenter?: string },
  cache?: AnswerCache,
): Responder {
  const settings = {
    ...SERVICE_ZONE_DEFAULTS,
    node: 'n1',
    get datacenter() {
      return view.datacenter ?? 'dc1';
    },
  };
  const zones = [new ServiceZone({ view, now: () => 0 }, settings)];
  return new Responder({
    resolver: new Resolver({ zones, log: silentLogger }),
    recursionFor: (client) => client.startsWith('10.'),
    ...(cache && { cache }),
    log: silentLogger,
  });
}

const address = fc.oneof(
  { weight: 6, arbitrary: fc.nat(200).map((last) => `10.2.1.${last}`) },
  fc.constantFrom('fd00::1', '', 'backend.example.com', 'web.service.consul', '10.2.1.7/16'),
);
/** What happens to a service. */
export const change = fc.record({
  name: fc.constantFrom('web', 'db', 'big'),
  addresses: fc.oneof(
    fc.array(address, { maxLength: 4 }),
    fc.array(address, { minLength: 40, maxLength: 60 }),
  ),
  status: fc.constantFrom('passing' as const, 'warning' as const, 'critical' as const),
});
/** A question, and from where it comes. */
export const question = fc.record({
  name: fc.constantFrom(
    'web.service.consul',
    'even.web.service.consul',
    'db.service.dc1.consul',
    '_db._tcp.service.consul',
    'big.service.consul',
    'nope.service.consul',
    '0a020101.addr.consul',
  ),
  type: fc.constantFrom('A', 'AAAA', 'SRV', 'ANY', 'TXT', 'MX'),
  rd: fc.boolean(),
  size: fc.constantFrom(undefined, 512, 1232, 4096),
  transport: fc.constantFrom('udp' as const, 'tcp' as const),
  client: fc.constantFrom('10.2.1.1', '198.51.100.7'),
  id: fc.nat(0xffff),
  /** Which letters are in upper case, as resolvers vary them at random. */
  upper: fc.oneof(fc.constant(0), fc.nat()),
});

export type Question = typeof question extends fc.Arbitrary<infer T> ? T : never;

/** The bytes of a question. */
export function packetOf({ name, type, rd, size, id, upper }: Question): Buffer {
  const isUpper = (index: number) => ((upper >> (index % 31)) & 1) === 1;
  const spelt = Array.from(name, (letter, index) => (isUpper(index) ? letter.toUpperCase() : letter)).join(
    '',
  );
  return queryBytes(spelt, type, { id, rd, ...(size !== undefined && { edns: { size } }) });
}

/**
 * What two replies to one question must have in common: everything but the order, which and how many where not all
 * fit, and the case of letters in names that are not the question's.
 */
export function essence(reply: Buffer) {
  const decoded = dnsPacket.decode(reply);
  const sorted = (records: readonly dnsPacket.Answer[] = []) => records.map(textOf).sort();
  const folded = (records: readonly dnsPacket.Answer[] = []) =>
    sorted(records).map((text) => text.toLowerCase());
  const { answers, authorities = [], additionals } = decoded;
  const asked = [decoded.id, rcodeOf(decoded), decoded.questions];
  // Among several host names one is chosen, and it decides about all that follows.
  if (answers?.some(({ type }) => type === 'CNAME')) return asked;
  const common = [...asked, flagsOf(decoded)];
  if (decoded.flag_tc) return common;
  // A name that ends like the question is shorter when the letters are alike, too.
  const length = authorities.length === 0 ? reply.length : undefined;
  return [...common, length, sorted(answers), folded(authorities), folded(additionals)];
}
