import dnsPacket, { type Answer } from 'dns-packet';
import { expect, test } from 'vitest';
import { decodedReply } from '../../../src/dns/wire/decoded.ts';

const encoded = (answers: readonly object[], flags = dnsPacket.AUTHORITATIVE_ANSWER) =>
  dnsPacket.encode({
    type: 'response',
    flags,
    questions: [{ name: 'web.example', type: 'A' }],
    answers: answers as Answer[],
  });
const web = { name: 'web.example', ttl: 30 };

test.each([
  ['A', '10.2.1.1'],
  ['AAAA', 'fd00::1'],
  ['CNAME', 'real.example'],
  ['NS', 'ns.example'],
  ['PTR', 'web.example'],
  ['SRV', { priority: 1, weight: 2, port: 80, target: 'real.example' }],
  [
    'SOA',
    { mname: 'ns.example', rname: 'host.example', serial: 1, refresh: 2, retry: 3, expire: 4, minimum: 5 },
  ],
  ['TXT', ['one', 'two']],
])('a record of type %s can be encoded again', (type, data) => {
  const record = { ...web, type, data };
  // dns-packet changes the texts that it is given.
  const given = Array.isArray(data) ? { ...record, data: [...data] } : record;
  expect(decodedReply(encoded([given]))).toEqual({
    rcode: 'NOERROR',
    authoritative: true,
    answers: [record],
    authorities: [],
    additionals: [],
  });
});

test.each([
  ['no message', Buffer.from('no message at all')],
  ['a response code that we have no name for', encoded([], 9)],
  ['a type that we have no form for', encoded([{ ...web, type: 'MX', data: { exchange: 'mail.example' } }])],
  ['a text that is no UTF-8', encoded([{ ...web, type: 'TXT', data: Buffer.from([0xff, 0x00]) }])],
  ['a name that is too long', encoded([{ ...web, type: 'CNAME', data: `${'x'.repeat(62)}\u00e9.example` }])],
])('%s cannot be encoded again', (_what, message) => {
  expect(decodedReply(message)).toBeUndefined();
});
