import dnsPacket, { type OptAnswer } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { relay } from '../../../src/dns/forward/relay.ts';
import { type Query, readQuery } from '../../../src/dns/wire/message.ts';
import { withoutOpt } from '../../../src/dns/wire/records.ts';
import { encodeReply, sizeLimit } from '../../../src/dns/wire/reply.ts';
import { emptyReply, type Reply, type ResourceRecord } from '../../../src/dns/zone.ts';
import { count } from '../../support/counts.ts';
import { queryBytes } from '../ask.ts';
import { rcodeOf } from '../read.ts';
import { manyAddresses, replyTo } from '../upstream.ts';

const runs = { numRuns: count(300, 20_000) };

const label = fc.oneof(
  fc.constantFrom('web', 'service', 'consul', 'Consul'),
  fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/),
);
const name = fc.array(label, { minLength: 1, maxLength: 6 }).map((labels) => labels.join('.'));
const ttl = fc.nat(0xffff_ffff);
const uint16 = fc.nat(0xffff);
const record: fc.Arbitrary<ResourceRecord> = fc.oneof(
  fc.record({ name, ttl, type: fc.constant('A' as const), data: fc.ipV4() }),
  fc.record({
    name,
    ttl,
    type: fc.constant('AAAA' as const),
    data: fc.constantFrom('fd00::1', '2001:db8::53', '::'),
  }),
  fc.record({
    name,
    ttl,
    type: fc.constantFrom('CNAME' as const, 'NS' as const, 'PTR' as const),
    data: name,
  }),
  fc.record({
    name,
    ttl,
    type: fc.constant('SRV' as const),
    data: fc.record({ priority: uint16, weight: uint16, port: uint16, target: name }),
  }),
  fc.record({
    name,
    ttl,
    type: fc.constant('SOA' as const),
    data: fc.record({
      mname: name,
      rname: name,
      serial: ttl,
      refresh: ttl,
      retry: ttl,
      expire: ttl,
      minimum: ttl,
    }),
  }),
  fc.record({
    name,
    ttl,
    type: fc.constant('TXT' as const),
    data: fc.array(fc.string({ maxLength: 40 }), { minLength: 1, maxLength: 3 }),
  }),
);
const reply: fc.Arbitrary<Reply> = fc.record({
  rcode: fc.constantFrom('NOERROR', 'NXDOMAIN', 'SERVFAIL', 'REFUSED'),
  authoritative: fc.boolean(),
  answers: fc.array(record, { maxLength: 40 }),
  authorities: fc.array(record, { maxLength: 3 }),
  additionals: fc.array(record, { maxLength: 40 }),
});
const query = fc
  .record({ asked: name, size: fc.option(fc.nat(0xffff)), tcp: fc.boolean(), rd: fc.boolean() })
  .map(({ asked, size, tcp, rd }) =>
    queryOf(queryBytes(asked, 'A', { rd, ...(size !== null && { edns: { size } }) }), tcp),
  );

describe('a reply', () => {
  test('that fits is decoded by another codec as it was encoded', () => {
    fc.assert(
      fc.property(query, reply, fc.boolean(), (asked, sections, recursion) => {
        const bytes = encodeReply(asked, sections, recursion);
        const decoded = dnsPacket.decode(bytes);
        expect(bytes.length).toBe(dnsPacket.decode.bytes);
        expect(decoded.id).toBe(asked.id);
        expect(rcodeOf(decoded)).toBe(sections.rcode);
        const { flag_aa, flag_rd, flag_ra, flag_qr } = decoded;
        expect([flag_qr, flag_aa, flag_rd, flag_ra]).toEqual([
          true,
          sections.authoritative,
          asked.question.recursionDesired,
          recursion,
        ]);
        expect(bytes.subarray(12, 12 + asked.question.bytes.length)).toEqual(
          Buffer.from(asked.question.bytes),
        );
        if (decoded.flag_tc) return;
        expect(decoded.answers?.map(plain)).toEqual(sections.answers);
        expect(decoded.authorities?.map(plain)).toEqual(sections.authorities);
        expect(decoded.additionals?.filter(({ type }) => type !== 'OPT').map(plain)).toEqual(
          sections.additionals,
        );
      }),
      runs,
    );
  });

  test('is never longer than its client accepts, and keeps complete answers from the first on', () => {
    fc.assert(
      fc.property(query, reply, (asked, sections) => {
        const bytes = encodeReply(asked, sections, true);
        expect(bytes.length).toBeLessThanOrEqual(sizeLimit(asked.question, true));
        const decoded = dnsPacket.decode(bytes);
        const opts = decoded.additionals?.filter(({ type }) => type === 'OPT') ?? [];
        expect(opts.length).toBe(asked.question.edns ? 1 : 0);
        if (!decoded.flag_tc) return;
        const kept = decoded.answers?.map(plain) ?? [];
        expect(kept).toEqual(sections.answers.slice(0, kept.length));
        const targets = sections.answers
          .slice(0, kept.length)
          .flatMap((one) => (one.type === 'SRV' ? [one.data.target] : []));
        const additionals = decoded.additionals?.filter(({ type }) => type !== 'OPT') ?? [];
        if (targets.length === 0) expect(additionals).toEqual([]);
      }),
      runs,
    );
  });

  test.each([512, 600, 700, 1232])(
    'keeps as many answers as fit: one more is too long for %i bytes',
    (size) => {
      const asked = queryOf(queryBytes('web.service.consul', 'A', size === 512 ? {} : { edns: { size } }));
      const answers = manyAddresses(300).map(
        (one) => ({ name: 'web.service.consul', ttl: 0, ...one }) as ResourceRecord,
      );
      const bytes = encodeReply(asked, { ...emptyReply('NOERROR'), answers }, false);
      expect(bytes.length).toBeGreaterThan(size - 16);
      expect(bytes.length).toBeLessThanOrEqual(size);
      expect(dnsPacket.decode(bytes).flag_tc).toBe(true);
    },
  );

  test.each([512, 1232])('keeps as many answers with their addresses as fit in %i bytes', (size) => {
    const asked = queryOf(queryBytes('web.service.consul', 'SRV', { edns: { size } }));
    const hosts = Array.from(
      { length: 300 },
      (_, index) => `0a02${String(index).padStart(4, '0')}.addr.consul`,
    );
    const answers = hosts.map((target) => {
      const data = { priority: 1, weight: 1, port: 80, target };
      return { name: 'web.service.consul', ttl: 0, type: 'SRV', data } as const;
    });
    const additionals = hosts.map((name) => ({ name, ttl: 0, type: 'A', data: '10.2.1.1' }) as const);
    const bytes = encodeReply(asked, { ...emptyReply('NOERROR'), answers, additionals }, false);
    expect(bytes.length).toBeGreaterThan(size - (2 + 10 + 6 + 22) - 16);
    expect(bytes.length).toBeLessThanOrEqual(size);
    const { answers: kept = [], additionals: beside = [] } = dnsPacket.decode(bytes);
    expect(beside.length).toBe(kept.length + 1);
  });

  test('to a name of 255 bytes has at least its code', () => {
    const longest = [...Array.from({ length: 4 }, () => 'a'.repeat(62)), 'b'].join('.');
    const asked = queryOf(queryBytes(longest, 'TXT', { edns: { size: 512 } }));
    const answers = [{ name: longest, ttl: 0, type: 'TXT', data: Array(3).fill('x'.repeat(200)) } as const];
    const decoded = dnsPacket.decode(
      encodeReply(asked, { ...emptyReply('NOERROR'), answers, authorities: answers }, false),
    );
    expect([decoded.flag_tc, decoded.answers, decoded.authorities]).toEqual([true, [], []]);
    expect(decoded.questions?.[0]?.name).toBe(longest);
  });

  test('compresses names against the question and against each other, the target of SRV apart', () => {
    const asked = queryOf(queryBytes('web.service.consul', 'SRV'));
    const target = '0a020101.addr.dc1.consul';
    const answers = [
      {
        name: 'web.service.consul',
        ttl: 0,
        type: 'SRV',
        data: { priority: 1, weight: 1, port: 80, target },
      } as const,
    ];
    const additionals = [{ name: target, ttl: 0, type: 'A', data: '10.2.1.1' } as const];
    const bytes = encodeReply(asked, { ...emptyReply('NOERROR'), answers, additionals }, false);
    expect(bytes.length).toBe(12 + 24 + (2 + 10 + 6 + 26) + (2 + 10 + 4));
  });

  test('uses pointers only within their reach: beyond 16 KiB, names are written in full', () => {
    const asked = queryOf(queryBytes('web.service.consul', 'SRV'), true);
    const hosts = Array.from({ length: 600 }, (_, index) => `host${index}.example.com`);
    const answers = hosts.map((target) => {
      const data = { priority: 1, weight: 1, port: 80, target };
      return { name: 'web.service.consul', ttl: 0, type: 'SRV', data } as const;
    });
    const additionals = hosts.map((name) => ({ name, ttl: 0, type: 'A', data: '10.2.1.1' }) as const);
    const bytes = encodeReply(asked, { ...emptyReply('NOERROR'), answers, additionals }, false);
    expect(bytes.length).toBeGreaterThan(0x8000);
    const decoded = dnsPacket.decode(bytes);
    expect(decoded.answers?.map(plain)).toEqual(answers);
    expect(decoded.additionals?.map(plain)).toEqual(additionals);
  });

  test.each([
    ['udp', undefined, 512, 512],
    ['udp', 1, 512, 512],
    ['udp', 1232, 1232, 1232],
    ['udp', 1233, 1233, 1232],
    ['udp', 4096, 4096, 1232],
    ['udp', 65_535, 4096, 1232],
    ['tcp', 512, 65_535, 65_535],
  ])('over %s with a size of %s is at most %i bytes, to strangers %i', (transport, size, local, external) => {
    const packet = queryBytes('web', 'A', size === undefined ? {} : { edns: { size } });
    const { question } = queryOf(packet, transport === 'tcp');
    expect([sizeLimit(question, true), sizeLimit(question, false)]).toEqual([local, external]);
  });
});

describe('a relayed reply', () => {
  const upstreamReply = fc
    .tuple(name, fc.nat(300), fc.boolean())
    .map(([asked, answers, edns]) => ({ asked, answers, edns }));

  test('fits its client, keeps complete answers and has the client’s id and question', () => {
    fc.assert(
      fc.property(upstreamReply, fc.nat(4096), fc.nat(0xffff), ({ asked, answers, edns }, size, id) => {
        const options = { id, ...(edns && { edns: { size } }) };
        const query = queryOf(queryBytes(asked, 'A', options));
        const theirs = dnsPacket.decode(queryBytes(asked.toUpperCase(), 'A', { ...options, id: 1 }));
        const start = 12 + query.question.bytes.length;
        const message = withoutOpt(replyTo(theirs, manyAddresses(answers)), start);
        const bytes = relay(query, message, true);
        expect(bytes.length).toBeLessThanOrEqual(sizeLimit(query.question, true));
        const decoded = dnsPacket.decode(bytes);
        expect(decoded.id).toBe(id);
        expect(decoded.questions?.[0]?.name).toBe(asked);
        expect(decoded.flag_tc).toBe((decoded.answers?.length ?? 0) < answers);
        const fitted = message.length + (edns ? 11 : 0) <= sizeLimit(query.question, true);
        if (fitted) expect(decoded.flag_tc).toBe(false);
        expect(decoded.additionals?.length).toBe(edns ? 1 : 0);
        const addresses = manyAddresses(decoded.answers?.length ?? 0).map(
          (one) => (one as { data: string }).data,
        );
        expect(decoded.answers?.map((one) => (one as { data: unknown }).data)).toEqual(addresses);
      }),
      runs,
    );
  });

  test.each([2, 25])('of %i addresses is for every subnet, since no subnet was sent upstream', (count) => {
    const options = [{ code: 'CLIENT_SUBNET', ip: '198.51.100.0', sourcePrefixLength: 24 }];
    const query = queryOf(queryBytes('www.example.com', 'A', { edns: { size: 512, options } }));
    const message = replyTo(dnsPacket.decode(queryBytes('www.example.com', 'A')), manyAddresses(count));
    const [opt] = dnsPacket.decode(relay(query, message, true)).additionals as OptAnswer[];
    expect(opt?.options).toMatchObject([
      { code: 8, ip: '198.51.100.0', sourcePrefixLength: 24, scopePrefixLength: 0 },
    ]);
  });

  test('that does not fit is compressed: complete, in the client’s letters (TestRecursiveCompress)', () => {
    const query = queryOf(queryBytes('A-rather-long-name.example.com', 'A'));
    const theirs = dnsPacket.decode(queryBytes('a-RATHER-long-NAME.example.com', 'A'));
    const message = replyTo(theirs, manyAddresses(25));
    expect(message.length).toBeGreaterThan(1000);
    const bytes = relay(query, message, true);
    expect(bytes.length).toBe(query.question.bytes.length + 12 + 25 * 16);
    const { answers = [], flag_tc } = dnsPacket.decode(bytes);
    expect([flag_tc, new Set(answers.map((one) => one.name)), answers.length]).toEqual([
      false,
      new Set(['A-rather-long-name.example.com']),
      25,
    ]);
  });

  test('of thousands of records costs only what is sent of it', () => {
    const options = [{ code: 10, data: Buffer.alloc(8) }];
    const query = queryOf(queryBytes('www.example.com', 'A', { edns: { size: 512, options } }));
    const message = (count: number) =>
      replyTo(dnsPacket.decode(queryBytes('www.example.com', 'A')), manyAddresses(count));
    const [small, large] = [message(40), message(2_000)];
    const costOf = (reply: Buffer) => {
      const startedAt = performance.now();
      for (let turn = 0; turn < 300; turn += 1) expect(relay(query, reply, true).length).toBeLessThan(513);
      return performance.now() - startedAt;
    };
    costOf(large);
    const costs = Array.from({ length: 5 }, () => costOf(large) / costOf(small));
    // Fifty times as many records; the machine may be busy for one of the turns.
    expect(Math.min(...costs)).toBeLessThan(5);
  });

  test('with mail servers is compressed, and truncated if that is not enough', () => {
    const query = queryOf(queryBytes('mail.example.com', 'MX'));
    const theirs = dnsPacket.decode(queryBytes('mail.example.com', 'MX'));
    const records = Array.from({ length: 25 }, (_, n) => ({
      type: 'MX' as const,
      data: { preference: n, exchange: `mx${n}.example.com` },
    }));
    const bytes = relay(query, replyTo(theirs, records as Partial<dnsPacket.Answer>[]), true);
    const { answers = [], flag_tc } = dnsPacket.decode(bytes);
    expect(flag_tc).toBe(true);
    expect(answers.length).toBeGreaterThan(8);
    expect(bytes.length).toBeLessThanOrEqual(512);
  });
});

function queryOf(packet: Buffer, tcp = false): Query {
  const received = readQuery(packet, '127.0.0.1', tcp ? 'tcp' : 'udp');
  if (!received || !('query' in received)) throw new Error('not a query');
  return received.query;
}

/** A decoded record as one of our own records. */
function plain(record: dnsPacket.Answer) {
  const {
    name: owner,
    ttl: seconds,
    type,
    data,
  } = record as { name: string; ttl: number; type: string; data: unknown };
  return { name: owner, ttl: seconds, type, data: Array.isArray(data) ? data.map(String) : data };
}
