import { beforeEach, describe, expect, it } from 'vitest';
import { Granted, ignoredProblem } from '../../src/containers/granted.ts';
import { HeddleError } from '../../src/errors.ts';
import { Claims } from '../../src/ipam/claims.ts';
import { formatCidr, parseCidr } from '../../src/network/cidr.ts';
import type { InterfaceMaker } from '../../src/network/engine.ts';
import { Roster } from '../../src/roster/roster.ts';
import { MemoryState } from '../../src/state/state.ts';
import { entryFor, snapshot } from '../support/snapshot.ts';

const web = snapshot('web', { pid: 7 });
const place = { path: '/proc/7/ns/net', inode: 7 };
const on = (device: string, ...cidrs: string[]) =>
  cidrs.map((cidr) => ({ ...parseCidr(cidr), interface: device }));

let claims: Claims;
let roster: Roster;
let maker: InterfaceMaker;
let questions: number;
let failure: HeddleError | undefined;
let granted: Granted;

beforeEach(() => {
  claims = new Claims(new MemoryState());
  roster = new Roster();
  roster.complete = true;
  maker = 'heddle';
  questions = 0;
  failure = undefined;
  const interfaceMaker = async () => {
    questions++;
    if (failure) throw failure;
    return maker;
  };
  granted = new Granted({ claims, roster, network: { interfaceMaker } }, { interface: 'ethwe' });
});

const counts = async (...addresses: ReturnType<typeof on>) => {
  const { addresses: counted, ignored } = await granted.counted(web, place, addresses);
  return [counted.map(formatCidr).join(' '), ignored.map(formatCidr).join(' ')];
};

describe('on our interface', () => {
  it('counts what was granted to any container of the network namespace, and nothing else', async () => {
    await claims.add(web.id, [parseCidr('10.2.1.1/16')]);
    const sharer = snapshot('sharer', { pid: 8, networkMode: `container:${web.id}` });
    await claims.add(sharer.id, [parseCidr('10.2.1.2/16')]);
    roster.set(entryFor(sharer, { namespace: 7 }));
    const all = [...on('eth0', '172.17.0.2/16'), ...on('ethwe', '10.2.1.1/16', '10.2.1.2/16')];
    expect(await counts(...all)).toEqual(['172.17.0.2/16 10.2.1.1/16 10.2.1.2/16', '']);
    expect(questions).toBe(0);
    expect(await counts(...all, ...on('ethwe', '10.2.1.9/16'))).toEqual([
      '172.17.0.2/16 10.2.1.1/16 10.2.1.2/16',
      '10.2.1.9/16',
    ]);
    expect(await granted.counted(sharer, place, on('ethwe', '10.2.1.1/16'))).toMatchObject({ ignored: [] });
  });

  it.each([
    ['another', false, 'counts'],
    ['another', true, 'counts'],
    ['heddle', false, 'counts'],
    ['heddle', true, 'does not'],
    ['container', false, 'does not'],
    ['container', true, 'does not'],
  ] as const)(
    'what was not granted, on an interface made by %s, with a grant: %s, %s',
    async (by, isGranted, expected) => {
      maker = by;
      if (isGranted) await claims.add(web.id, [parseCidr('10.2.1.1/16')]);
      const [counted] = await counts(...on('ethwe', '10.2.1.9/16'));
      expect(counted).toBe(expected === 'counts' ? '10.2.1.9/16' : '');
    },
  );

  it('everything counts until the roster is complete, and what may not count is inspected again', async () => {
    roster.complete = false;
    await claims.add(web.id, [parseCidr('10.2.1.1/16')]);
    const addresses = on('ethwe', '10.2.1.1/16', '10.2.1.9/16');
    expect(await counts(...addresses)).toEqual(['10.2.1.1/16 10.2.1.9/16', '']);
    expect(granted.isUnproven(entryFor(web, { addresses }))).toBe(true);
    expect(granted.isUnproven(entryFor(web, { addresses: addresses.slice(0, 1) }))).toBe(false);
  });

  it('reports ignored addresses, however many there are', () => {
    const many = on('ethwe', ...Array.from({ length: 200 }, (_, index) => `10.9.0.${index + 1}/16`));
    expect(ignoredProblem({})).toEqual([]);
    expect(ignoredProblem({ ignored: many })).toEqual([
      expect.stringMatching(
        /^10\.9\.0\.1\/16, 10\.9\.0\.2\/16, 10\.9\.0\.3\/16 and 197 more on ethwe was not granted and is ignored/,
      ),
    ]);
  });
});

describe('where the maker of the interface cannot be found out', () => {
  it.each(['not-permitted', 'not-supported'] as const)('%s: every address counts', async (code) => {
    failure = new HeddleError(code, 'no capability');
    expect(await counts(...on('ethwe', '10.2.3.1/16'))).toEqual(['10.2.3.1/16', '']);
  });

  it('another failure is passed on, and the container inspected again', async () => {
    failure = new HeddleError('failed', 'no buffer space');
    await expect(counts(...on('ethwe', '10.2.3.1/16'))).rejects.toBe(failure);
  });
});
