import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grant, type Holder, MOST_ADDRESSES, meant } from '../../src/ipam/grant.ts';
import type { Pool } from '../../src/ipam/pool.ts';
import { parseRequest } from '../../src/ipam/request.ts';
import { assertAssignable } from '../../src/network/assignable.ts';
import { contains, formatCidr, parseCidr } from '../../src/network/cidr.ts';
import type { Cidr } from '../../src/network/engine.ts';

const isAssignable = (cidr: Cidr): boolean => {
  try {
    assertAssignable([cidr]);
    return true;
  } catch {
    return false;
  }
};

const pool: Pool = { range: parseCidr('10.32.0.0/12'), defaultSubnet: parseCidr('10.32.0.0/12') };
const web: Holder = { container: 'a'.repeat(64), name: 'web (aaaaaaaaaaaa)' };

const heldBy = (ips: ReadonlySet<string>) => (ip: string) => (ips.has(ip) ? web : undefined);

const ask = (texts: string, own = '', others = '', from = pool): string => {
  const list = (text: string) => text.split(' ').filter(Boolean);
  const holdings = {
    own: list(own).map(parseCidr),
    holderOf: heldBy(new Set(list(others))),
  };
  return grant(list(texts).map(parseRequest), holdings, from).map(formatCidr).join(' ');
};

describe('granting addresses', () => {
  it.each([
    ['the first free one of the range', 'net:default', '', '', '10.32.0.1/12'],
    ['the next one', 'net:default', '', '10.32.0.1 10.32.0.2', '10.32.0.3/12'],
    ['one of a subnet, with its prefix', 'net:10.34.5.0/24', '', '', '10.34.5.1/24'],
    ['a certain one, of any network', '10.2.1.1/16 ip:fd00::1/64', '', '', '10.2.1.1/16 fd00::1/64'],
    ['one of each subnet', 'net:default net:10.34.0.0/28', '', '', '10.32.0.1/12 10.34.0.1/28'],
    ['the one that is held already', 'net:default', '10.32.0.7/12', '10.32.0.1', '10.32.0.7/12'],
    ['a new one beside one of another subnet', 'net:10.32.0.0/24', '10.32.0.1/12', '', '10.32.0.2/24'],
    ['one address for a repeated request', 'net:default net:default', '', '', '10.32.0.1/12'],
    ['over the end of a block', 'net:10.32.0.0/23', '', full('10.32.0'), '10.32.1.0/23'],
  ])('gives %s', (_, texts, own, others, expected) => {
    expect(ask(texts, own, others)).toBe(expected);
  });

  it('refuses an address of another owner, and names the owner', () => {
    expect(() => ask('10.2.1.1/16', '', '10.2.1.1')).toThrow(/10\.2\.1\.1\/16 belongs to web \(aaaa/);
    expect(() => ask('10.2.1.1/24', '', '10.2.1.1')).toThrow(/belongs to web/);
  });

  it('reports that a subnet is exhausted', () => {
    const taken = '10.32.0.1 10.32.0.2';
    expect(() => ask('net:10.32.0.0/30', '', taken)).toThrow(
      expect.objectContaining({ code: 'taken', message: expect.stringContaining('10.32.0.0/30 is taken') }),
    );
  });

  it.each(['net:10.2.0.0/16', 'net:10.0.0.0/8', 'net:fd00::/64'])('refuses %s, outside the range', (text) => {
    expect(() => ask(text)).toThrow(/outside the range 10\.32\.0\.0\/12/);
  });

  it('takes away what lies in a subnet, and only that', () => {
    const own = ['10.32.0.1/12', '10.34.0.1/24', '10.2.1.1/16'].map(parseCidr);
    const back = (...texts: string[]) => meant(texts.map(parseRequest), own, pool).map(formatCidr);
    expect(back('net:default')).toEqual(['10.32.0.1/12']);
    expect(back('net:10.34.0.0/24', '10.9.9.9/16')).toEqual(['10.34.0.1/24', '10.9.9.9/16']);
  });
});

describe('the cost of the search', () => {
  const net = (index: number) => parseRequest(`net:10.32.${index >> 8}.${index & 255}/32`);
  const requests = (count: number) => Array.from({ length: count }, (_, index) => net(index + 1));

  it('grants as many as one owner can have, and refuses more', () => {
    const holdings = { own: [], holderOf: () => undefined };
    expect(grant(requests(MOST_ADDRESSES), holdings, pool)).toHaveLength(MOST_ADDRESSES);
    for (const count of [MOST_ADDRESSES + 1, 3_000]) {
      expect(() => grant(requests(count), holdings, pool)).toThrow(/more than 64 addresses/);
    }
    const own = grant(requests(MOST_ADDRESSES), holdings, pool);
    expect(grant(requests(MOST_ADDRESSES), { ...holdings, own }, pool)).toEqual(own);
    expect(() => grant([parseRequest('10.2.1.1/16')], { ...holdings, own }, pool)).toThrow(/more than 64/);
  });

  it('checks each address that is taken once, and one more', () => {
    const taken = 20_000;
    let looks = 0;
    const holderOf = () => (++looks <= taken ? web : undefined);
    expect(grant([parseRequest('net:default')], { own: [], holderOf }, pool).map(formatCidr)).toEqual([
      '10.32.78.33/12',
    ]);
    expect(looks).toBe(taken + 1);
  });
});

describe('whatever is requested, held and taken away', () => {
  /** A small range, so that it is often exhausted, and of every awkward size. */
  const ranges = fc.constantFrom(
    '10.32.0.0/22',
    '10.32.0.0/24',
    '10.32.0.0/29',
    '10.32.0.0/30',
    '10.32.0.0/31',
  );
  const steps = fc.array(
    fc.record({
      container: fc.integer({ min: 0, max: 9 }),
      action: fc.constantFrom('ask', 'ask', 'ask', 'free'),
      subnet: fc.constantFrom('', '10.32.0.0/29', '10.32.0.8/30', '10.32.0.0/30', '10.32.0.0/31'),
    }),
    { maxLength: 60 },
  );

  it('no address has two owners, none is a network, broadcast or bridge address, and all lie in the range', () => {
    fc.assert(
      fc.property(ranges, steps, fc.boolean(), (range, taken, bridged) => {
        const here: Pool = { range: parseCidr(range), defaultSubnet: parseCidr(range) };
        const bridge = '10.32.0.1';
        const held = new Map<number, readonly Cidr[]>();
        const othersOf = (container: number) => {
          const others = [...held].filter(([other]) => other !== container).flatMap(([, cidrs]) => cidrs);
          const all = bridged ? [bridge] : [];
          return new Set([...all, ...others.map(({ ip }) => ip)]);
        };
        for (const { container, action, subnet } of taken) {
          if (action === 'free') held.delete(container);
          else {
            const own = held.get(container) ?? [];
            const text = subnet === '' ? 'net:default' : `net:${subnet}`;
            const holderOf = heldBy(othersOf(container));
            try {
              const given = grant([parseRequest(text)], { own, holderOf }, here);
              expect(grant([parseRequest(text)], { own: [...own, ...given], holderOf }, here)).toEqual(given);
              held.set(container, [...own.filter((cidr) => !given.includes(cidr)), ...given]);
            } catch (error) {
              const asked = subnet === '' ? here.range : parseCidr(subnet);
              const inside = contains(here.range, asked.ip) && asked.prefixLength >= here.range.prefixLength;
              expect(error).toMatchObject({ code: inside ? 'taken' : 'bad-input' });
              if (inside) expect(freeIn(asked, [...othersOf(-1)])).toBe(0);
            }
          }
          const all = [...held.values()].flat();
          expect(new Set(all.map(({ ip }) => ip)).size).toBe(all.length);
          for (const cidr of all) {
            expect(isAssignable(cidr)).toBe(true);
            expect(contains(here.range, cidr.ip)).toBe(true);
            if (bridged) expect(cidr.ip).not.toBe(bridge);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('a range of any size is used to its last address', () => {
    fc.assert(
      fc.property(fc.integer({ min: 24, max: 32 }), (prefixLength) => {
        const range = parseCidr(`10.32.0.0/${prefixLength}`);
        const others = new Set<string>();
        const holdings = { own: [], holderOf: heldBy(others) };
        const from = { range, defaultSubnet: range };
        const size = 2 ** (32 - prefixLength);
        const usable = prefixLength < 31 ? size - 2 : size;
        for (let count = 0; count < usable; count++) {
          const [cidr] = grant([parseRequest('net:default')], holdings, from);
          others.add((cidr as Cidr).ip);
        }
        expect(others.size).toBe(usable);
        expect(() => grant([parseRequest('net:default')], holdings, from)).toThrow(/is taken/);
      }),
      { numRuns: 20 },
    );
  });
});

/** How many addresses of a subnet that no owner has. */
function freeIn(subnet: Cidr, taken: readonly string[]): number {
  const [, , , last = 0] = subnet.ip.split('.').map(Number);
  const third = Number(subnet.ip.split('.')[2]);
  let free = 0;
  for (let offset = 0; offset < 2 ** (32 - subnet.prefixLength); offset++) {
    const ip = `10.32.${third + ((last + offset) >> 8)}.${(last + offset) & 255}`;
    if (isAssignable({ ...subnet, ip }) && !taken.includes(ip)) free++;
  }
  return free;
}

function full(block: string): string {
  return Array.from({ length: 255 }, (_, index) => `${block}.${index + 1}`).join(' ');
}
