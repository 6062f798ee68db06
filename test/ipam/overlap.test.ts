import { describe, expect, it } from 'vitest';
import { refuseUnusable } from '../../src/ipam/overlap.ts';
import { poolOf } from '../../src/ipam/pool.ts';
import { parseCidr } from '../../src/network/cidr.ts';

const range = parseCidr('10.0.0.0/8');
const subnet = parseCidr('10.32.0.0/16');
const route = (network: string) => [{ network: parseCidr(network), device: 'eth0' }];
const chosen = { used: [], origin: '--ipalloc-range' };

describe('a range for free addresses', () => {
  it.each([
    ['a part of it', poolOf(range), '10.99.0.0/16'],
    ['its default subnet', poolOf(range, subnet), '10.32.7.0/24'],
    ['all of it', poolOf(range, subnet), '10.0.0.0/8'],
  ])('that is configured is refused where the host reaches %s', (_, pool, reached) => {
    const refused = () => refuseUnusable(pool, { ...chosen, host: route(reached) });
    expect(refused).toThrow(
      `--ipalloc-range: the range of free addresses 10.0.0.0/8 overlaps the route of this host to ${reached} by eth0: ` +
        'choose another one, or insist with --allow-overlap',
    );
    const warned = { sparesDefault: false, problem: expect.stringContaining(reached) };
    const used = [parseCidr('10.32.0.0/16')];
    expect(refuseUnusable(pool, { ...chosen, host: route(reached), used })).toEqual(warned);
    expect(refuseUnusable(pool, { ...chosen, host: route(reached), origin: undefined })).toEqual(warned);
  });

  it('is accepted with a warning where the default subnet does not overlap', () => {
    expect(refuseUnusable(poolOf(range, subnet), { ...chosen, host: route('10.99.0.0/16') })).toEqual({
      sparesDefault: true,
      problem:
        'the range of free addresses 10.0.0.0/8 overlaps the route of this host to 10.99.0.0/16 by eth0; ' +
        'the default subnet 10.32.0.0/16 does not',
    });
  });

  it('is accepted where it overlaps no network of the host', () => {
    expect(
      refuseUnusable(poolOf(range, subnet), { ...chosen, host: route('192.168.0.0/16') }),
    ).toBeUndefined();
  });
});
