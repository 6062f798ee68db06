import { describe, expect, test } from 'vitest';
import { type Query, readQuery } from '../../../src/dns/wire/message.ts';
import { queryBytes } from '../ask.ts';

const read = (packet: Buffer) => readQuery(packet, '10.2.1.1', 'udp');
const queryOf = (packet: Buffer): Query => {
  const received = read(packet);
  if (!received || !('query' in received)) throw new Error('not read as a query');
  return received.query;
};

describe('a query', () => {
  test('is read in its original letter case, and in lower case', () => {
    const packet = queryBytes('WeB.service.Consul', 'SRV', { id: 0xbeef, cd: true });
    expect(queryOf(packet)).toEqual({
      id: 0xbeef,
      question: {
        labels: ['web', 'service', 'consul'],
        name: 'web.service.consul',
        asked: 'WeB.service.Consul',
        type: 'SRV',
        class: 'IN',
        bytes: new Uint8Array(packet.subarray(12)),
        client: '10.2.1.1',
        transport: 'udp',
        recursionDesired: true,
        checkingDisabled: true,
      },
    });
  });

  test.each([
    ['A', 'A'],
    ['ANY', 'ANY'],
    ['UNKNOWN_65', 'HTTPS'],
    ['UNKNOWN_4711', 'TYPE4711'],
  ])('of type %s', (type, expected) => {
    expect(queryOf(queryBytes('web.service.consul', type)).question.type).toBe(expected);
  });

  test.each([
    ['IN', 'IN'],
    ['CH', 'CH'],
    ['ANY', 'ANY'],
    ['CS', 'CLASS2'],
  ])('of class %s', (klass, expected) => {
    expect(queryOf(queryBytes('web', 'A', { class: klass })).question.class).toBe(expected);
  });

  test('states in its OPT record what its sender accepts', () => {
    const { question } = queryOf(queryBytes('web', 'A', { edns: { size: 1232, do: true } }));
    expect(question.edns).toEqual({ version: 0, udpSize: 1232, dnssecOk: true });
    expect(queryOf(queryBytes('web', 'A', { edns: { size: 512, version: 3 } })).question.edns?.version).toBe(
      3,
    );
    expect(queryOf(queryBytes('web', 'A')).question.edns).toBeUndefined();
  });

  test('may have unknown options', () => {
    const options = [
      { code: 10, data: Buffer.alloc(8) },
      { code: 65_001, data: Buffer.alloc(3) },
    ];
    expect(queryOf(queryBytes('web', 'A', { edns: { size: 1232, options } })).question.edns?.udpSize).toBe(
      1232,
    );
  });

  test('may have bytes behind its end', () => {
    expect(queryOf(Buffer.concat([queryBytes('web', 'A'), Buffer.of(1, 2, 3)])).question.name).toBe('web');
  });
});

describe('no query', () => {
  const FORMERR = '123481010000000000000000';
  const header = '1234 0100 0001 0000 0000 0000';
  const question = '00 0001 0001';
  const opt = '00 0029 04d0 00000000 0000';

  test.each([
    ['an empty packet', ''],
    ['eleven bytes', '1234010000010000000000'],
    ['a response', `1234 8100 0001 0000 0000 0000 ${question}`],
  ])('%s gets no answer', (_what, hex) => {
    expect(read(bytes(hex))).toBeUndefined();
  });

  test.each([
    ['no question', '1234 0100 0000 0000 0000 0000', FORMERR],
    ['two questions', `1234 0100 0002 0000 0000 0000 ${question} ${question}`, FORMERR],
    ['a question without a class', `${header} 00 0001`, FORMERR],
    ['a name without an end', `${header} 03 776562`, FORMERR],
    ['a compressed name', `${header} c000 0001 0001`, FORMERR],
    ['more answers than a query has', `1234 0100 0001 0002 0000 0000 ${question}`, FORMERR],
    ['more additionals than a query has', `1234 0100 0001 0000 0000 0003 ${question} ${opt}`, FORMERR],
    ['additionals that are not there', `1234 0100 0001 0000 0000 0001 ${question}`, FORMERR],
    ['two OPT records', `1234 0100 0001 0000 0000 0002 ${question} ${opt} ${opt}`, FORMERR],
    ['data beyond the end', `1234 0100 0001 0000 0000 0001 ${question} 00 00ff 0001 00000000 ffff`, FORMERR],
    [
      'a client subnet of three bytes',
      `1234 0100 0001 0000 0000 0001 ${question} 00 0029 04d0 00000000 0007 0008 0003 000118`,
      FORMERR,
    ],
    [
      'a client subnet of 21 bytes',
      `1234 0100 0001 0000 0000 0001 ${question} 00 0029 04d0 00000000 0019 0008 0015 00021800${'00'.repeat(17)}`,
      FORMERR,
    ],
    ['an inverse query', `1234 0900 0001 0000 0000 0000 ${question}`, '123489040000000000000000'],
    ['a notification', `1234 2400 0001 0000 0000 0000 ${question}`, '1234a0040000000000000000'],
    ['an update without recursion', `1234 2800 0001 0000 0000 0000 ${question}`, '1234a8040000000000000000'],
  ])('%s is rejected in twelve bytes', (_what, hex, rejection) => {
    expect(read(bytes(hex))).toEqual({ rejection: bytes(rejection) });
  });
});

function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}
