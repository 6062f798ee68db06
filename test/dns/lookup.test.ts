import dnsPacket from 'dns-packet';
import { expect, test } from 'vitest';
import { lookUp, reverseName } from '../../src/dns/lookup.ts';
import { replyTo } from './upstream.ts';

const RECORDS: Readonly<Record<string, object>> = {
  'A web': { type: 'A', data: '10.2.1.1' },
  'AAAA web': { type: 'AAAA', data: 'fd00::1' },
  'PTR 1.1.2.10.in-addr.arpa': { type: 'PTR', data: 'web.weave.local' },
};

async function ask(packet: Buffer): Promise<Buffer> {
  const query = dnsPacket.decode(packet);
  const [question] = query.questions ?? [];
  const record = RECORDS[`${question?.type} ${question?.name}`];
  const rcode = question?.name === 'broken' ? 2 : record ? 0 : 3;
  return replyTo(query, record ? [record] : [], { rcode });
}

test.each([
  ['web', ['10.2.1.1', 'fd00::1']],
  ['web.', ['10.2.1.1', 'fd00::1']],
  ['10.2.1.1', ['web.weave.local']],
  ['nope', []],
  ['fd00::9', []],
])('%s: %j', async (nameOrAddress, found) => {
  expect(await lookUp(nameOrAddress, ask)).toEqual(found);
});

test.each([
  ['a..b', 'is neither a name nor an address'],
  ['', 'is neither a name nor an address'],
  ['broken', 'cannot look up broken: SERVFAIL'],
])('%s fails: %s', async (nameOrAddress, why) => {
  await expect(lookUp(nameOrAddress, ask)).rejects.toThrow(why);
});

test('an address of either family has a reverse name', () => {
  expect(reverseName('10.2.1.1')).toBe('1.1.2.10.in-addr.arpa');
  expect(reverseName('fd00:2::5')).toBe(
    '5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0.0.0.d.f.ip6.arpa',
  );
});
