import { describe, expect, test } from 'vitest';
import { reverseName } from '../../../src/dns/lookup.ts';
import { SPECIAL_NAMES, SPECIAL_REVERSE_NAMES, SpecialUseZone } from '../../../src/dns/zones/special-use.ts';
import { questionOf } from '../question.ts';

const zones = [new SpecialUseZone(SPECIAL_NAMES), new SpecialUseZone(SPECIAL_REVERSE_NAMES)];

function answered(name: string, type: string) {
  const reply = zones.map((zone) => zone.resolve(questionOf(name, type))).find(Boolean);
  return (
    reply && {
      rcode: reply.rcode,
      answers: reply.answers.map(({ data }) => data),
      soa: reply.authorities.length,
    }
  );
}

const NODATA = { rcode: 'NOERROR', answers: [], soa: 1 };
const ABSENT = { rcode: 'NXDOMAIN', answers: [], soa: 1 };
const is = (...answers: string[]) => ({ rcode: 'NOERROR', answers, soa: 0 });

describe('names of special use', () => {
  test.each([
    ['localhost', 'A', is('127.0.0.1')],
    ['LocalHost', 'AAAA', is('::1')],
    ['localhost', 'ANY', is('127.0.0.1', '::1')],
    ['a.b.localhost', 'A', is('127.0.0.1')],
    ['localhost', 'MX', NODATA],
    ['localhost', 'TYPE65', NODATA],
    ['web.localhost', 'SRV', NODATA],
    ['x.invalid', 'A', ABSENT],
    ['abc.onion', 'AAAA', ABSENT],
    [reverseName('127.0.0.1'), 'PTR', is('localhost')],
    [reverseName('::1'), 'PTR', is('localhost')],
    [reverseName('127.0.0.1'), 'A', NODATA],
    [reverseName('127.9.9.9'), 'PTR', ABSENT],
    ['127.in-addr.arpa', 'NS', NODATA],
    ['0.127.in-addr.arpa', 'PTR', ABSENT],
    [reverseName('0.0.0.0'), 'PTR', ABSENT],
    [reverseName('169.254.1.1'), 'PTR', ABSENT],
    [reverseName('255.255.255.255'), 'PTR', NODATA],
    [reverseName('::'), 'PTR', NODATA],
    [reverseName('fe80::1'), 'PTR', ABSENT],
    [reverseName('febf::1'), 'PTR', ABSENT],
  ])('%s %s', (name, type, expected) => {
    expect(answered(name, type)).toEqual(expected);
  });

  test.each([
    'localhost.example.com',
    'notlocalhost',
    'invalid',
    'onion',
    'example.test',
    'printer.local',
    'in-addr.arpa',
    reverseName('128.0.0.1'),
    reverseName('10.2.1.1'),
    reverseName('169.253.1.1'),
    reverseName('::2'),
    reverseName('fec0::1'),
    '__proto__',
    'x.constructor',
  ])('%s is none', (name) => {
    expect(answered(name, 'A')).toBeUndefined();
  });

  test('with servers configured by the operator are asked there, except for localhost', () => {
    const zone = new SpecialUseZone(SPECIAL_NAMES, { isRouted: () => true });
    expect(zone.resolve(questionOf('abc.onion'))).toBeUndefined();
    expect(zone.resolve(questionOf('x.localhost'))?.answers).toHaveLength(1);
  });

  test('refuse zone transfers', () => {
    expect(answered('localhost', 'AXFR')?.rcode).toBe('REFUSED');
  });
});
