import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertAssignable } from '../../src/network/assignable.ts';
import {
  contains,
  familyOf,
  formatCidr,
  ipBytes,
  ipText,
  networkOf,
  parseCidr,
} from '../../src/network/cidr.ts';

const ipv4 = fc.ipV4();
const ipv6 = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map(ipText)
  .filter((ip) => familyOf(ip) === 6);
const cidr = fc.oneof(
  fc.tuple(ipv4, fc.nat(32)).map(([ip, prefix]) => `${ip}/${prefix}`),
  fc.tuple(ipv6, fc.nat(128)).map(([ip, prefix]) => `${ip}/${prefix}`),
);

describe('an address with its prefix length', () => {
  test.each([
    ['10.2.1.1/16', { ip: '10.2.1.1', prefixLength: 16, family: 4 }],
    ['0.0.0.0/0', { ip: '0.0.0.0', prefixLength: 0, family: 4 }],
    ['10.2.1.1/32', { ip: '10.2.1.1', prefixLength: 32, family: 4 }],
    ['FD00:0:0::1/64', { ip: 'fd00::1', prefixLength: 64, family: 6 }],
    ['::/0', { ip: '::', prefixLength: 0, family: 6 }],
  ])('%s is understood', (text, expected) => {
    expect(parseCidr(text)).toEqual(expected);
  });

  test.each([
    ['10.2.0.300/16', 'does not start with an IP address'],
    ['10.2/16', 'does not start with an IP address'],
    ['010.2.1.1/16', 'does not start with an IP address'],
    ['0x0a020101/16', 'does not start with an IP address'],
    ['167903489/16', 'does not start with an IP address'],
    ['fd00::1%eth0/64', 'does not start with an IP address'],
    ['::ffff:10.2.1.1/112', 'does not start with an IP address'],
    ['/16', 'does not start with an IP address'],
    [' 10.2.1.1/16', 'does not start with an IP address'],
    ['10.2.1.1', 'has no prefix length'],
    ['', 'has no prefix length'],
    ['10.2.1.1/', 'from 0 to 32'],
    ['10.2.1.1/33', 'from 0 to 32'],
    ['10.2.1.1/08', 'from 0 to 32'],
    ['10.2.1.1/-1', 'from 0 to 32'],
    ['10.2.1.1/1e1', 'from 0 to 32'],
    ['10.2.1.1/16/8', 'from 0 to 32'],
    ['10.2.1.1/255.255.0.0', 'from 0 to 32'],
    ['fd00::1/129', 'from 0 to 128'],
  ])('%j is refused, in one sentence with the text and the form expected', (text, problem) => {
    expect(() => parseCidr(text)).toThrow(
      expect.objectContaining({ code: 'bad-input', message: expect.stringContaining(problem) }),
    );
    expect(() => parseCidr(text)).toThrow(`"${text}" `);
    expect(() => parseCidr(text)).toThrow('expected an address with its prefix length, like 10.2.1.1/16');
  });

  test('a long or binary text is cut and escaped in the message', () => {
    expect(() => parseCidr('\u001b[2J'.repeat(1000))).toThrow(/^"(\\u001b\[2J?){15}…" has no prefix length/);
  });

  test('formatting and parsing restores every one', () => {
    fc.assert(
      fc.property(cidr, (text) => {
        expect(formatCidr(parseCidr(text))).toBe(text);
      }),
    );
  });

  test('any text is either parsed or rejected', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-f.:/%]{0,20}$/));
    fc.assert(
      fc.property(text, (input) => {
        try {
          expect(familyOf(parseCidr(input).ip)).toBeDefined();
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad-input' });
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('an address keeps its bytes', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (ip) => {
        expect(ipText(ipBytes(ip))).toBe(ip);
      }),
    );
  });
});

describe('a network', () => {
  test.each([
    ['10.2.1.1/16', '10.2.0.0/16'],
    ['10.2.255.255/17', '10.2.128.0/17'],
    ['10.2.1.1/0', '0.0.0.0/0'],
    ['10.2.1.1/32', '10.2.1.1/32'],
    ['fd00:2::ff:1/65', 'fd00:2::/65'],
  ])('of %s is %s', (text, network) => {
    expect(formatCidr(networkOf(parseCidr(text)))).toBe(network);
  });

  test.each([
    ['10.2.0.0/16', '10.2.255.255', true],
    ['10.2.0.0/16', '10.3.0.0', false],
    ['10.2.1.1/16', '10.2.9.9', true],
    ['10.2.0.0/23', '10.2.1.255', true],
    ['10.2.0.0/23', '10.2.2.0', false],
    ['fd00:2::/64', 'fd00:2::ffff', true],
    ['fd00:2::/64', 'fd00:2:0:1::', false],
    ['0.0.0.0/0', 'fd00::1', false],
    ['0.0.0.0/0', 'not an address', false],
  ])('%s and %s: inside is %s', (network, ip, expected) => {
    expect(contains(parseCidr(network), ip)).toBe(expected);
  });

  test('contains exactly the addresses with its first bits', () => {
    const bits = (ip: string): string =>
      [...ipBytes(ip)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
    fc.assert(
      fc.property(ipv4, ipv4, fc.nat(32), (one, other, prefix) => {
        const same = bits(one).slice(0, prefix) === bits(other).slice(0, prefix);
        expect(contains(parseCidr(`${one}/${prefix}`), other)).toBe(same);
      }),
    );
  });
});

describe('an address for a container', () => {
  test.each([
    '10.2.1.1/16',
    '10.2.1.0/16',
    '10.2.1.255/16',
    '10.2.1.0/31',
    '10.2.1.1/32',
    'fd00::/64',
    '10.2.1.1/8',
    '10.32.0.1/12',
    'fd00::1/16',
  ])('%s is accepted', (text) => expect(() => assertAssignable([parseCidr(text)])).not.toThrow());

  test.each([
    ['10.2.0.0/16', 'is a network address'],
    ['10.2.255.255/16', 'is the broadcast address of its network'],
    ['255.255.255.255/32', 'is in 240.0.0.0/4, reserved addresses'],
    ['240.0.0.1/8', 'is in 240.0.0.0/4, reserved addresses'],
    ['127.0.0.1/8', 'is in 127.0.0.0/8, loopback addresses'],
    ['::1/128', 'is in ::1/128, the loopback address'],
    ['224.0.0.1/8', 'is in 224.0.0.0/4, multicast addresses'],
    ['ff02::1/64', 'is in ff00::/8, multicast addresses'],
    ['0.0.0.0/32', 'is in 0.0.0.0/8, addresses without a network'],
    ['0.1.2.3/16', 'is in 0.0.0.0/8, addresses without a network'],
    ['169.254.169.254/16', 'is in 169.254.0.0/16, link-local addresses'],
    ['169.1.1.1/8', 'is in a network with 169.254.0.0/16, link-local addresses'],
    ['fe80::1/64', 'is in fe80::/10, link-local addresses'],
    ['::/64', 'is in a network with ::/128, the unspecified address'],
    ['10.2.1.1/0', 'has a prefix shorter than /8'],
    ['10.2.1.1/1', 'has a prefix shorter than /8'],
    ['10.2.1.1/7', 'has a prefix shorter than /8'],
    ['fd00::1/15', 'has a prefix shorter than /16'],
  ])('%s %s', (text, problem) => {
    expect(() => assertAssignable([parseCidr('10.2.1.1/16'), parseCidr(text)])).toThrow(`${text} ${problem}`);
  });

  test('an empty list is rejected', () => {
    expect(() => assertAssignable([])).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });
});
