import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY_CONSUL, DEFAULT_POLICY_EMBEDDED, parsePolicy } from '../../src/addresses/policy.ts';

describe('the address policy', () => {
  test('is a list of terms in order', () => {
    const text = 'ethwe, iface:net1,network:front_end.2, cidr:10.2.1.1/16 ,bridge,internal,published';
    expect(parsePolicy(text).map((term) => term.text)).toEqual([
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
    ['weave', '"weave": unknown term'],
    ['', '"": unknown term'],
    ['ethwe,,published', '"": unknown term'],
    ['Ethwe', 'unknown term'],
    ['toString', 'unknown term'],
    ['ethwe:eth1', 'ethwe takes no value'],
    ['iface:', 'iface: needs the name of an interface'],
    ['iface', 'iface: needs the name of an interface'],
    ['iface:a b', 'iface: needs the name of an interface'],
    ['iface:sixteen-letters-', 'iface: needs the name of an interface'],
    ['network:', 'network: needs the name of a Docker network'],
    ['network:../x', 'network: needs the name of a Docker network'],
  ])('%j is rejected with the list of terms', (text, problem) => {
    const refusal = { code: 'bad-input', message: expect.stringContaining(problem) };
    expect(() => parsePolicy(text)).toThrow(expect.objectContaining(refusal));
    expect(() => parsePolicy(text)).toThrow(
      'expected ethwe, bridge, internal, published, iface:NAME, network:NAME, cidr:10.2.0.0/16',
    );
  });

  test('an invalid network is rejected as such', () => {
    expect(() => parsePolicy('cidr:10.2.0.0')).toThrow('"10.2.0.0" has no prefix length');
    expect(() => parsePolicy('cidr:')).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });

  test('never puts an address that other hosts cannot reach into a shared catalog by default', () => {
    expect(DEFAULT_POLICY_CONSUL.map(({ text }) => text)).toEqual(['ethwe', 'bridge', 'published']);
    expect(DEFAULT_POLICY_EMBEDDED.map(({ text }) => text)).toEqual(['ethwe', 'bridge', 'internal']);
  });
});
