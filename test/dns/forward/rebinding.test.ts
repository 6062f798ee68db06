import dnsPacket from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { ForwardZone } from '../../../src/dns/forward/forward.ts';
import { RebindingGuard } from '../../../src/dns/forward/rebinding.ts';
import { questionOf } from '../question.ts';

const NAME = 'www.example.com';

function messageOf(records: readonly object[], type = 'A', name = NAME): Buffer {
  return dnsPacket.encode({
    type: 'response',
    questions: [{ name, type, class: 'IN' }],
    answers: records.map((record) => ({ name, ttl: 60, ...record })),
  } as dnsPacket.Packet);
}

function setUp(exceptions: readonly string[] = []) {
  const lines: string[] = [];
  const log = { warn: (line: unknown) => void lines.push(String(line)) };
  const guard = new RebindingGuard({ log }, { exceptions, ownDomains: ['consul', 'weave.local'] });
  const passes = (records: readonly object[], type = 'A', name = NAME) => {
    const message = messageOf(records, type, name);
    const screened = guard.screen(questionOf(name, type), message);
    if (screened !== message) expect(dnsPacket.decode(screened).answers).toEqual([]);
    return screened === message;
  };
  return { lines, guard, passes };
}

describe('an answer for an external name', () => {
  test.each([
    ['10.0.0.1', false],
    ['10.255.255.255', false],
    ['11.0.0.0', true],
    ['127.0.0.1', false],
    ['127.255.0.1', false],
    ['0.0.0.0', false],
    ['0.1.2.3', false],
    ['169.254.169.254', false],
    ['172.15.255.255', true],
    ['172.16.0.1', false],
    ['172.31.255.255', false],
    ['172.32.0.0', true],
    ['192.168.1.1', false],
    ['192.169.0.1', true],
    ['100.64.0.1', false],
    ['100.128.0.1', true],
    ['8.8.8.8', true],
    ['203.0.113.1', true],
  ])('at %s passes: %s', (data, expected) => {
    expect(setUp().passes([{ type: 'A', data }])).toBe(expected);
    expect(
      setUp().passes([
        { type: 'A', data: '8.8.8.8' },
        { type: 'A', data },
      ]),
    ).toBe(expected);
  });

  test.each([
    ['::1', false],
    ['::', false],
    ['fd00::1', false],
    ['fc00::1', false],
    ['fe80::1', false],
    ['::ffff:10.0.0.1', false],
    ['::ffff:8.8.8.8', true],
    ['64:ff9b::192.168.0.1', false],
    ['2606:4700::1', true],
  ])('at %s passes: %s', (data, expected) => {
    expect(setUp().passes([{ type: 'AAAA', data }], 'AAAA')).toBe(expected);
  });

  test('with a private address hint in a service binding loses its records', () => {
    const binding = (address: readonly number[]) => {
      const data = Buffer.from([0, 1, 0, 0, 1, 0, 3, 2, 0x68, 0x32, 0, 4, 0, 8, 8, 8, 8, 8, ...address]);
      return { type: 'UNKNOWN_65', data };
    };
    expect(setUp().passes([binding([8, 8, 4, 4])], 'UNKNOWN_65')).toBe(true);
    expect(setUp().passes([binding([10, 0, 0, 1])], 'UNKNOWN_65')).toBe(false);
  });

  test('that is an alias of one of our names loses its records, since our names have private addresses', () => {
    expect(setUp().passes([{ type: 'CNAME', data: 'web.service.consul' }])).toBe(false);
    expect(setUp().passes([{ type: 'CNAME', data: 'web.weave.local' }])).toBe(false);
    expect(setUp().passes([{ type: 'CNAME', data: 'notconsul' }])).toBe(true);
  });

  test('passes if its domain is an exception or below one', () => {
    const { passes } = setUp(['corp.example']);
    const at = [{ type: 'A', data: '10.0.0.1' }];
    expect(passes(at, 'A', 'corp.example')).toBe(true);
    expect(passes(at, 'A', 'wiki.Corp.example')).toBe(true);
    expect(passes(at, 'A', 'notcorp.example')).toBe(false);
  });

  test('is logged when it loses its records, but not for every query', () => {
    const { passes, lines } = setUp();
    for (let turn = 0; turn < 100; turn += 1) passes([{ type: 'A', data: '10.0.0.1' }]);
    expect(lines).toEqual([expect.stringMatching(/^A www\.example\.com: .*private address.*--rebind-ok/)]);
  });
});

test('a filtered answer reaches its client without records', async () => {
  const { guard } = setUp();
  const zone = new ForwardZone(
    {
      upstreams: { current: async () => ({ servers: [] }) },
      client: {
        ask: async () => messageOf([{ type: 'A', data: '192.168.0.1' }]),
        isLoop: () => false,
      },
      isLocal: () => true,
      isOwn: () => false,
      guard,
    },
    { ownDomains: [] },
  );
  const { message } = (await zone.resolve(questionOf(NAME))) as { message: Buffer };
  const { answers, questions } = dnsPacket.decode(message);
  expect([answers, questions?.length, (message[3] as number) & 15]).toEqual([[], 1, 0]);
});
