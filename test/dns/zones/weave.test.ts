import { describe, expect, test } from 'vitest';
import { NameTable } from '../../../src/dns/names/name-table.ts';
import { readQuery } from '../../../src/dns/wire/message.ts';
import { encodeReply } from '../../../src/dns/wire/reply.ts';
import type { Question, Reply } from '../../../src/dns/zone.ts';
import { WeaveZone } from '../../../src/dns/zones/weave.ts';
import { queryBytes } from '../ask.ts';

const names = new NameTable();
names.set('one', [
  { name: 'web.weave.local', ip: '10.2.1.1', explicit: false },
  { name: 'web.weave.local', ip: 'fd00::1', explicit: false },
  { name: 'main.db.weave.local', ip: '10.2.1.2', explicit: false },
]);
names.set('two', [{ name: 'web.weave.local', ip: '10.2.1.3', explicit: false }]);
const fifty = Array.from({ length: 50 }, (_, index) => `10.2.9.${index}`);
names.set(
  'fifty',
  fifty.map((ip) => ({ name: 'big.weave.local', ip, explicit: false })),
);
const zone = new WeaveZone({ names, now: () => 1_700_000_000_000 }, { domain: 'weave.local' });

function ask(name: string, type = 'A', options: Parameters<typeof queryBytes>[2] = {}) {
  const received = readQuery(queryBytes(name, type, options), '10.2.1.1', 'udp');
  if (!received || !('query' in received)) throw new Error('not a query');
  return received.query;
}
const resolve = (question: Question) => zone.resolve(question);

function summaryOf(reply: Reply | undefined): string {
  if (!reply) return 'passed on';
  const answers = reply.answers.map(({ name, ttl, type, data }) =>
    type === 'SOA' ? 'SOA' : `${name} ${ttl} ${type} ${String(data)}`,
  );
  const soa = reply.authorities.some(({ type, name }) => type === 'SOA' && name === 'weave.local')
    ? ['+SOA']
    : [];
  return [reply.rcode, ...answers.sort(), ...soa].join(' | ');
}

describe('the zone of container names (TestZone)', () => {
  test.each([
    [
      'all addresses of a name (TestLookup)',
      'web.weave.local',
      'A',
      'NOERROR | web.weave.local 1 A 10.2.1.1 | web.weave.local 1 A 10.2.1.3',
    ],
    [
      'the addresses of the other family',
      'web.weave.local',
      'AAAA',
      'NOERROR | web.weave.local 1 AAAA fd00::1',
    ],
    [
      'both',
      'web.weave.local',
      'ANY',
      'NOERROR | web.weave.local 1 A 10.2.1.1 | web.weave.local 1 A 10.2.1.3 | web.weave.local 1 AAAA fd00::1',
    ],
    [
      'any letter case, echoed (245 case)',
      'WEB.Weave.LOCAL',
      'AAAA',
      'NOERROR | WEB.Weave.LOCAL 1 AAAA fd00::1',
    ],
    [
      'names below names (225 subdomains)',
      'main.db.weave.local',
      'A',
      'NOERROR | main.db.weave.local 1 A 10.2.1.2',
    ],
    ['a name between names', 'db.weave.local', 'A', 'NOERROR | +SOA'],
    ['no such type (250 MX)', 'web.weave.local', 'MX', 'NOERROR | +SOA'],
    ['no address of that family', 'main.db.weave.local', 'AAAA', 'NOERROR | +SOA'],
    ['no such name (250 unknown)', 'nope.weave.local', 'A', 'NXDOMAIN | +SOA'],
    ['a single label (230 unqualified)', 'web', 'AAAA', 'NOERROR | web 1 AAAA fd00::1'],
    ['a single label of several letter cases', 'Web', 'AAAA', 'NOERROR | Web 1 AAAA fd00::1'],
    ['an unknown single label: never passed on', 'nope', 'A', 'NXDOMAIN'],
    ['a single label of another type', 'web', 'MX', 'NOERROR'],
    ['the servers of a top-level domain', 'com', 'NS', 'passed on'],
    ['the domain itself', 'weave.local', 'A', 'NOERROR | +SOA'],
    ['its SOA', 'weave.local', 'SOA', 'NOERROR | SOA'],
    ['the root', '.', 'NS', 'passed on'],
    ['another domain', 'web.example.com', 'A', 'passed on'],
    ['what only ends alike', 'web.notweave.local', 'A', 'passed on'],
    ['a transfer', 'weave.local', 'AXFR', 'NOTIMP'],
  ])('%s', (_what, name, type, expected) => {
    const reply = resolve(ask(name, type).question);
    expect(summaryOf(reply)).toBe(expected);
    if (reply) expect(reply.authoritative).toBe(true);
  });

  test('the answers occur in each order', () => {
    const firsts = new Set(
      Array.from({ length: 200 }, () => resolve(ask('web.weave.local').question)?.answers[0]?.data),
    );
    expect(firsts).toEqual(new Set(['10.2.1.1', '10.2.1.3']));
  });

  test.each([
    ['512 bytes', {}, 512, true],
    ['700 bytes', { edns: { size: 700 } }, 700, true],
    ['4096 bytes', { edns: { size: 4096 } }, 4096, false],
  ])('fifty addresses in %s (TestTruncation, TestTruncateResponse, 295)', (_size, options, limit, cut) => {
    const query = ask('big.weave.local', 'A', options);
    const bytes = encodeReply(query, resolve(query.question) as Reply, true);
    expect(bytes.length).toBeLessThanOrEqual(limit);
    expect((bytes.readUInt16BE(2) & 0x0200) !== 0).toBe(cut);
    const kept = bytes.readUInt16BE(6);
    if (cut) expect(bytes.length).toBeGreaterThan(limit - 16);
    else expect(kept).toBe(50);
  });
});
