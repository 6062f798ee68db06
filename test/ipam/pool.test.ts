import { describe, expect, it } from 'vitest';
import { parseNetwork } from '../../src/ipam/pool.ts';

describe('where addresses can be allocated from', () => {
  it.each(['10.32.0.0/12', '10.0.0.0/8', '10.2.0.0/16', '192.168.7.0/24', '100.64.0.0/10'])('%s', (text) => {
    expect(parseNetwork(text)).toMatchObject({ ip: text.replace(/\/.*/, '') });
  });

  it.each([
    ['127.0.0.0/8', /127\.0\.0\.0\/8 is in 127\.0\.0\.0\/8, loopback/],
    ['127.3.0.0/16', /loopback/],
    ['0.0.0.0/8', /without a network/],
    ['169.254.0.0/16', /link-local/],
    ['169.0.0.0/8', /in a network with 169\.254\.0\.0\/16, link-local/],
    ['224.0.0.0/8', /multicast/],
    ['239.1.0.0/16', /multicast/],
    ['240.0.0.0/8', /reserved/],
    ['255.255.255.0/24', /reserved/],
    ['0.0.0.0/0', /prefix shorter than \/8/],
    ['128.0.0.0/1', /prefix shorter than \/8/],
    ['10.2.1.0/16', /does not name a network/],
    ['fd00::/16', /expected an IPv4 network/],
  ])('not %s', (text, why) => {
    expect(() => parseNetwork(text)).toThrow(why);
  });
});
