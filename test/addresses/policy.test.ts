import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY_CONSUL, DEFAULT_POLICY_EMBEDDED, parsePolicy } from '../../src/addresses/policy.ts';

describe('the address policy', () => {
  test('is a list of words in order', () => {
    const text = 'ethwe, iface:net1,network:front_end.2, cidr:10.2.1.1/16 ,bridge,internal,published';
    expect(parsePolicy(text).map((word) => word.text)).toEqual([
      'ethwe',
      'iface:net1',
      'network:front_end.2',
      'cidr:10.2.0.0/16',
      'bridge',
      'internal',
      'published',
    ]);
    expect(parsePolicy('cidr:fd00:2::/64')).toEqual([
      { kind: 'cidr', text: 'cidr:fd00:2::/64', network: { ip: 'fd00:2::', prefixLength: 64, family: 6 } },
    ]);
  });

  test.each([
    ['weave', '"weave": there is no such word'],
    ['', '"": there is no such word'],
    ['ethwe,,published', '"": there is no such word'],
    ['Ethwe', 'there is no such word'],
    ['toString', 'there is no such word'],
    ['ethwe:eth1', 'ethwe takes no value'],
    ['iface:', 'iface: needs the name of an interface'],
    ['iface', 'iface: needs the name of an interface'],
    ['iface:a b', 'iface: needs the name of an interface'],
    ['iface:sixteen-letters-', 'iface: needs the name of an interface'],
    ['network:', 'network: needs the name of a Docker network'],
    ['network:../x', 'network: needs the name of a Docker network'],
  ])('%j is refused with the list of words', (text, problem) => {
    const refusal = { code: 'bad-input', message: expect.stringContaining(problem) };
    expect(() => parsePolicy(text)).toThrow(expect.objectContaining(refusal));
    expect(() => parsePolicy(text)).toThrow(
      'expected ethwe, bridge, internal, published, iface:NAME, network:NAME, cidr:10.2.0.0/16',
    );
  });

  test('a network that cannot be read is refused as such', () => {
    expect(() => parsePolicy('cidr:10.2.0.0')).toThrow('"10.2.0.0" has no prefix length');
    expect(() => parsePolicy('cidr:')).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });

  test('never puts an address into a shared catalog that other hosts cannot reach, unless asked', () => {
    expect(DEFAULT_POLICY_CONSUL.map(({ text }) => text)).toEqual(['ethwe', 'bridge', 'published']);
    expect(DEFAULT_POLICY_EMBEDDED.map(({ text }) => text)).toEqual(['ethwe', 'bridge', 'internal']);
  });
});
