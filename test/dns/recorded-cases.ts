import { readFileSync } from 'node:fs';
import dnsPacket, { type DecodedPacket } from 'dns-packet';
import { expect } from 'vitest';
import { NameTable } from '../../src/dns/names/name-table.ts';
import { Resolver } from '../../src/dns/resolve.ts';
import { Responder } from '../../src/dns/responder.ts';
import { ReverseZone } from '../../src/dns/zones/reverse.ts';
import { ServiceZone } from '../../src/dns/zones/service.ts';
import { SERVICE_ZONE_DEFAULTS } from '../../src/dns/zones/settings.ts';
import type { View } from '../../src/registry/registry.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { queryBytes } from './ask.ts';
import { dataText, flagsOf, rcodeOf, textOf } from './read.ts';
import type { Registration } from './recorded-view.ts';

/** Recorded answers of a real Consul agent, replayed through our zones; the file itself defines how to compare. */
export const recorded = JSON.parse(
  readFileSync(new URL('../data/dns-cases.json', import.meta.url), 'utf8'),
) as {
  registrations: Record<string, Registration[]>;
  cases: RecordedCase[];
};

/** Deliberate differences from Consul: no limit of three answers over UDP; TC if not all of them fit. */
export const DIFFERENT = new Map<string, { readonly flags: string; readonly answers: number }>([
  ['size-a30-udp', { flags: 'qr aa tc rd', answers: 29 }],
  ['size-srv30-udp', { flags: 'qr aa tc rd', answers: 7 }],
]);

/** The cases that have to match. */
export const must = recorded.cases.filter(({ level }) => level === 'must');
export const replayed = must.filter(({ id }) => !DIFFERENT.has(id));

const PROFILES: Record<string, object> = {
  default: {},
  only_passing: { onlyPassing: true },
  ttl: {
    nodeTtl: 15,
    serviceTtl: { '*': 5, web: 30, 'so*': 20, mixedcase: 40 },
    soa: { minTtl: 7, refresh: 1800, retry: 300, expire: 43_200 },
  },
};

const NOW = 1_700_000_000;

/** The answer of our zones, over a view with the registrations of the case. */
export async function replay(view: View, { profile, query }: RecordedCase) {
  const settings = { ...SERVICE_ZONE_DEFAULTS, node: 'heddle-n1', ...PROFILES[profile] };
  const now = () => NOW * 1000;
  const zones = [
    new ServiceZone({ view, now }, settings),
    new ReverseZone({ view, names: new NameTable(), now }, settings, ['9.0.0.0/8']),
  ];
  const resolver = new Resolver({ zones, log: silentLogger });
  const responder = new Responder({ resolver, recursionFor: () => false, log: silentLogger });
  const packet = query.raw_hex === undefined ? bytesOf(query) : Buffer.from(query.raw_hex, 'hex');
  return { packet, reply: await responder.respond(packet, '127.0.0.1', query.transport ?? 'udp') };
}

function bytesOf({ name, type, class: klass, rd, edns, opcode }: RecordedQuery): Buffer {
  const subnet = edns?.ecs?.split('/');
  const options = subnet
    ? [{ code: 'CLIENT_SUBNET', ip: subnet[0], sourcePrefixLength: Number(subnet[1]) }]
    : [];
  const packet = queryBytes(name.replace(/\.$/, ''), type.replace(/^TYPE/, 'UNKNOWN_'), {
    class: klass,
    rd,
    ...(edns && { edns: { size: edns.size, do: edns.do ?? false, options } }),
  });
  if (opcode) packet.writeUInt8(packet.readUInt8(2) | (opcode << 3), 2);
  return packet;
}

/** Expects the recorded answer, as far as the file requires it. */
export function compare(packet: Buffer, reply: Buffer, expected: RecordedAnswer): void {
  const decoded = dnsPacket.decode(reply);
  expect(rcodeOf(decoded)).toBe(expected.rcode);
  expect(flagsOf(decoded)).toEqual(expected.flags);
  const question = expected.question === 'absent' ? Buffer.alloc(0) : questionOf(packet);
  expect(reply.subarray(12, 12 + question.length)).toEqual(question);
  const ordered = expected.ordered_sections?.includes('answer') ?? false;
  expectSection((decoded.answers ?? []).map(textOf), expected.answer ?? [], ordered);
  expectSection((decoded.authorities ?? []).map(textOf), expected.authority ?? [], false);
  const additionals = (decoded.additionals ?? []).filter(({ type }) => type !== 'OPT');
  const asked = `${decoded.questions?.[0]?.name}.`;
  expectAdditionals(additionals.map(textOf), expected.additional ?? [], asked);
  expectEdns(decoded, expected.edns ?? null);
  // The recorded size includes node metadata, which may be left out; the rest must not be larger.
  expect(reply.length).toBeLessThanOrEqual(expected.bytes);
}

function expectSection(actual: string[], expected: RecordedSection, ordered: boolean): void {
  if ('choose' in expected) {
    expect(new Set(actual).size).toBe(expected.choose);
    expect(expected.from.map(textOfRecorded)).toEqual(expect.arrayContaining(actual));
  } else if ('all_of_fixture' in expected) {
    expectFixture(actual, expected);
  } else {
    const texts = expected.map(textOfRecorded);
    expect(ordered ? actual : actual.sort()).toEqual(ordered ? texts : texts.sort());
  }
}

/** One SRV for each registration, and one address record for each of their targets. */
function expectFixture(actual: string[], { all_of_fixture, counts }: Fixture): void {
  const bodies = (recorded.registrations[all_of_fixture] as Registration[]).map(({ body }) => body);
  const hex = (ip = '') =>
    ip
      .split('.')
      .map((byte) => Number(byte).toString(16).padStart(2, '0'))
      .join('');
  const expected = bodies.map((body) => {
    const target = `${hex(body?.Address)}.addr.dc1.consul`;
    const srv = `${body?.Name}.service.consul 0 SRV port=${body?.Port} priority=1 target=${target} weight=1`;
    return 'SRV' in counts ? srv : `${target} 0 A ${body?.Address}`;
  });
  expect(expected.length).toBe(counts.SRV ?? counts.A);
  expect(actual.sort()).toEqual(expected.sort());
}

/** Node metadata may be left out beside other names than the node's own, and equal records may be merged. */
function expectAdditionals(actual: string[], expected: RecordedSection, asked: string): void {
  if ('choose' in expected || 'all_of_fixture' in expected) {
    expectSection(actual, expected, false);
    return;
  }
  const texts = expected.filter(({ type, name }) => type !== 'TXT' || name === asked).map(textOfRecorded);
  expect([...new Set(actual)].sort()).toEqual([...new Set(texts)].sort());
}

function expectEdns(decoded: DecodedPacket, expected: RecordedEdns | null): void {
  const opt = decoded.additionals?.find((record) => record.type === 'OPT');
  const actual = opt && {
    version: opt.ednsVersion,
    size: opt.udpPayloadSize,
    do: opt.flag_do,
    options: opt.options.map((option) => {
      const { ip, sourcePrefixLength, scopePrefixLength } = option as unknown as Record<string, unknown>;
      return { ecs: ip, source: sourcePrefixLength, scope: scopePrefixLength };
    }),
  };
  expect(actual ?? null).toEqual(expected);
}

function questionOf(packet: Buffer): Buffer {
  const { questions } = dnsPacket.decode(packet);
  return packet.subarray(
    12,
    12 + (questions?.[0]?.name.length ?? 0) + (questions?.[0]?.name === '.' ? 4 : 6),
  );
}

export function textOfRecorded({ name, ttl, type, data }: RecordedRecord): string {
  const dotless = (value: unknown) => (typeof value === 'string' ? value.replace(/\.$/, '') : value);
  const plain =
    typeof data === 'object' && !Array.isArray(data)
      ? Object.fromEntries(
          Object.entries(data as object).map(([key, value]) => [
            key,
            value === '$unix_time' ? NOW : dotless(value),
          ]),
        )
      : dotless(data);
  return `${dotless(name)} ${ttl} ${type} ${dataText(plain)}`;
}

interface RecordedQuery {
  readonly name: string;
  readonly type: string;
  readonly class: string;
  readonly transport?: 'udp' | 'tcp';
  readonly rd: boolean;
  readonly edns: { readonly size: number; readonly do?: boolean; readonly ecs?: string } | null;
  readonly opcode?: number;
  readonly raw_hex?: string;
}
interface RecordedRecord {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly data: unknown;
}
type RecordedSection = readonly RecordedRecord[] | Choice | Fixture;
/** This many different items of a list. */
export interface Choice {
  readonly choose: number;
  readonly from: readonly RecordedRecord[];
}
/** The records that follow from a set of registrations by the rule of the small cases. */
interface Fixture {
  readonly all_of_fixture: string;
  readonly counts: Readonly<Record<string, number>>;
}
interface RecordedEdns {
  readonly version: number;
  readonly size: number;
  readonly do: boolean;
  readonly options: readonly unknown[];
}
interface RecordedAnswer {
  readonly rcode: string;
  readonly flags: readonly string[];
  readonly answer?: RecordedSection;
  readonly authority?: RecordedSection;
  readonly additional?: RecordedSection;
  readonly edns?: RecordedEdns | null;
  readonly ordered_sections?: readonly string[];
  readonly question?: 'absent';
  readonly no_response?: boolean;
  readonly bytes: number;
}
export interface RecordedCase {
  readonly id: string;
  readonly level: 'must' | 'quirk' | 'heuristic';
  readonly profile: string;
  readonly setup: readonly string[];
  /** Whether nothing else may be registered. */
  readonly isolated?: boolean;
  readonly query: RecordedQuery;
  readonly expected: RecordedAnswer;
}
