import { isIP } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { AnswerCache } from '../../src/dns/cache/answer-cache.ts';
import { ForwardZone } from '../../src/dns/forward/forward.ts';
import { NameTable } from '../../src/dns/names/name-table.ts';
import { Resolver } from '../../src/dns/resolve.ts';
import { Responder } from '../../src/dns/responder.ts';
import type { Question as Asked, Zone } from '../../src/dns/zone.ts';
import { ServiceZone } from '../../src/dns/zones/service.ts';
import { SERVICE_ZONE_DEFAULTS } from '../../src/dns/zones/settings.ts';
import { WeaveZone } from '../../src/dns/zones/weave.ts';
import type { Instance, NodeEntry, View } from '../../src/registry/registry.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { queryBytes } from './ask.ts';
import { flagsOf, rcodeOf, textOf } from './read.ts';
import { manyAddresses, replyTo } from './upstream.ts';

/** Services that change, containers of the same names, and one name that another server knows. */
export class ChangingView {
  readonly services = new Map<string, Instance[]>();
  readonly #containers = new NameTable();
  /** Answers names other than those of services. */
  readonly others: readonly Zone[] = [
    new WeaveZone({ names: this.#containers, now: () => 0 }, WEAVE),
    elsewhere(),
  ];
  datacenter = 'dc1';

  instances(service: string): readonly Instance[] {
    return [...(this.services.get(service) ?? [])];
  }

  node(): NodeEntry {
    return { address: '192.0.2.1', meta: {} };
  }

  set(name: string, addresses: readonly string[], status: Instance['status'] = 'passing'): void {
    const ips = addresses.filter((address) => isIP(address) > 0);
    this.#containers.set(
      name,
      ips.map((ip) => ({ name: `${name}.${WEAVE.domain}`, ip, explicit: false })),
    );
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

const WEAVE = { domain: 'weave.local' };

/** A server with forty addresses for a name, cached at a fixed time. */
function elsewhere(): Zone {
  const ask = async ({ asked, type }: Asked) =>
    replyTo(dnsPacket.decode(queryBytes(asked, type)), type === 'A' ? manyAddresses(40) : []);
  return new ForwardZone(
    {
      upstreams: { current: async () => ({ servers: [{ ip: '192.0.2.53', port: 53 }] }) },
      client: { ask, isLoop: () => false },
      isLocal: isNeighbour,
      isOwn: () => false,
    },
    { ownDomains: ['consul', WEAVE.domain], cache: { now: () => 0 } },
  );
}

const isNeighbour = (client: string) => client.startsWith('10.');

/** A responder for the services of a view, at a fixed time: the serial of the SOA is the time. */
export function responderOf(
  view: Pick<View, 'instances' | 'node'> & {
    readonly datacenter?: string;
    readonly others?: readonly Zone[];
  },
  cache?: AnswerCache,
): Responder {
  const settings = {
    ...SERVICE_ZONE_DEFAULTS,
    node: 'n1',
    get datacenter() {
      return view.datacenter ?? 'dc1';
    },
  };
  const zones = [new ServiceZone({ view, now: () => 0 }, settings), ...(view.others ?? [])];
  return new Responder({
    resolver: new Resolver({ zones, log: silentLogger }),
    recursionFor: isNeighbour,
    ...(cache && { cache }),
    log: silentLogger,
  });
}

const address = fc.oneof(
  { weight: 6, arbitrary: fc.nat(200).map((last) => `10.2.1.${last}`) },
  fc.constantFrom('fd00::1', '', 'backend.example.com', 'web.service.consul', '10.2.1.7/16'),
);
/** A change of a service. */
export const change = fc.record({
  name: fc.constantFrom('web', 'db', 'big'),
  addresses: fc.oneof(
    fc.array(address, { maxLength: 4 }),
    fc.array(address, { minLength: 40, maxLength: 60 }),
  ),
  status: fc.constantFrom('passing' as const, 'warning' as const, 'critical' as const),
});
/** A question and its client. */
export const question = fc.record({
  name: fc.constantFrom(
    'web.service.consul',
    'even.web.service.consul',
    'db.service.dc1.consul',
    '_db._tcp.service.consul',
    'big.service.consul',
    'nope.service.consul',
    '0a020101.addr.consul',
    'web',
    'db.weave.local',
    'big.weave.local',
    'many.example.com',
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
 * Expects a reply to equal the answer of an uncached resolver, except for the order. Where not all
 * fits, it is a part of the whole. Where one of several host names is chosen by chance, and decides about all that
 * follows, it is compared with a reply that has the same ones.
 * @param other a reply to the same question; `ask` asks for further ones, over its transport or another
 */
export async function expectAlike(
  reply: Buffer,
  other: Buffer,
  ask: (transport?: 'tcp' | 'udp') => Promise<Buffer>,
): Promise<void> {
  const actual = essence(reply);
  if (!actual.flags.includes('tc')) {
    const isSame = ({ hosts }: Essence) => isDeepStrictEqual(hosts, actual.hosts);
    expect(actual).toEqual(await until(isSame, essence(other), ask));
    return;
  }
  const isPart = ({ hosts }: Essence) => actual.hosts.every((host, at) => hosts[at] === host);
  const whole = await until(isPart, essence(await ask('tcp')), () => ask('tcp'));
  expectPart(actual, essence(other), whole);
}

/** In this many draws, the rarest of sixty instances is almost certainly chosen. */
const CHANCES = 2000;

async function until(
  fits: (reply: Essence) => boolean,
  first: Essence,
  ask: () => Promise<Buffer>,
): Promise<Essence> {
  let found = first;
  for (let times = 0; times < CHANCES && !fits(found); times += 1) found = essence(await ask());
  return found;
}

function expectPart(part: Essence, other: Essence, whole: Essence): void {
  const flags = part.flags.filter((flag) => flag !== 'tc');
  expect({ ...part, ...NOTHING, flags }).toEqual({ ...whole, ...NOTHING });
  expect(whole.answers).toEqual(expect.arrayContaining(part.answers));
  expect(whole.additionals).toEqual(expect.arrayContaining(part.additionals));
  expect(part.answers.length).toBeLessThan(whole.answers.length);
  // All addresses of one family take the same space.
  if (whole.types.length === 1 && whole.types[0] !== 'SRV')
    expect(part.answers.length).toBe(other.answers.length);
}

/** The records that are missing in a part. */
const NOTHING = { length: undefined, answers: [], additionals: [], hosts: [], types: [] };

type Essence = ReturnType<typeof essence>;

/** The content of a reply, without the order of its records and the letter case of names other than the question's. */
function essence(reply: Buffer) {
  const decoded = dnsPacket.decode(reply);
  const sorted = (records: readonly dnsPacket.Answer[] = []) => records.map(textOf).sort();
  const folded = (records: readonly dnsPacket.Answer[] = []) =>
    sorted(records).map((text) => text.toLowerCase());
  const { answers = [], authorities = [], additionals } = decoded;
  return {
    id: decoded.id,
    rcode: rcodeOf(decoded),
    questions: decoded.questions,
    flags: flagsOf(decoded),
    // A name with the question's ending is compressed better if the letter case is the same.
    length: authorities.length === 0 ? reply.length : undefined,
    // Names of another server have the letter case of the query that was sent to it.
    answers: decoded.flag_aa ? sorted(answers) : folded(answers),
    authorities: folded(authorities),
    additionals: folded(additionals),
    /** The host names that the answer goes through, in its order. */
    hosts: answers.flatMap((answer) => (answer.type === 'CNAME' ? answer.data : [])),
    types: [...new Set(answers.map(({ type }) => type))].sort(),
  };
}
