import { beforeEach, describe, expect, it } from 'vitest';
import { StaleSharers } from '../../src/containers/stale-sharers.ts';
import type { Snapshot } from '../../src/docker/snapshot.ts';
import { HeddleError } from '../../src/errors.ts';
import { Claims } from '../../src/ipam/claims.ts';
import { formatCidr, parseCidr } from '../../src/network/cidr.ts';
import { Roster } from '../../src/roster/roster.ts';
import { MemoryState } from '../../src/state/state.ts';
import { entryFor, snapshot } from '../support/snapshot.ts';

const cidr = parseCidr('10.2.1.1/16');
const web = snapshot('web', { pid: 20 });
const side = snapshot('side', { pid: 10, networkMode: `container:${web.id}` });

let roster: Roster;
let claims: Claims;
let existing: Map<string, Snapshot>;
let taken: string[];
let staleSharers: StaleSharers;

beforeEach(() => {
  roster = new Roster();
  claims = new Claims(new MemoryState());
  existing = new Map([web, side].map((container) => [container.id, container]));
  taken = [];
  staleSharers = new StaleSharers({
    roster,
    claims,
    docker: { inspect: async (id) => existing.get(id) },
    // Every process is in a namespace named by its pid.
    namespaceOf: async ({ pid }) => {
      if (pid === 0) throw new HeddleError('not-running', 'it has stopped');
      return { path: `/proc/${pid}/ns/net`, inode: pid };
    },
    network: {
      detach: async ({ nsPath }, cidrs) => {
        taken.push(`${nsPath} ${cidrs.map(formatCidr).join(' ')}`);
        return { removed: cidrs };
      },
    },
  });
});

const has = (container: Snapshot) =>
  roster.set(entryFor(container, { addresses: [{ ...cidr, interface: 'ethwe' }] }));

describe('a network namespace that its owner has left', () => {
  it('loses the addresses that the owner is about to get elsewhere', async () => {
    has(side);
    await staleSharers.release(web, [cidr]);
    expect(taken).toEqual(['/proc/10/ns/net 10.2.1.1/16']);
  });

  it.each([
    ['the container itself', { ...web, pid: 10 }],
    ['one that shares its present network', { ...side, pid: 20 }],
    ["one that shares no other's", snapshot('other', { pid: 10 })],
    ['one that has ended', { ...side, pid: 0 }],
  ])('is not that of %s', async (_, holder) => {
    has(holder);
    await staleSharers.release(web, [cidr]);
    expect(taken).toEqual([]);
  });

  it('is recognised while the owner runs elsewhere', async () => {
    expect(await staleSharers.leftBy(side, 10)).toBe(web);
    expect(await staleSharers.leftBy(side, 20)).toBeUndefined();
    expect(await staleSharers.leftBy(web, 20)).toBeUndefined();
    existing.set(web.id, { ...web, pid: 0 });
    expect(await staleSharers.leftBy(side, 10)).toBeUndefined();
    existing.delete(web.id);
    expect(await staleSharers.leftBy(side, 10)).toBeUndefined();
  });

  it('loses the addresses assigned to the owner, and no others', async () => {
    await claims.add(web.id, [cidr]);
    await staleSharers.clear(side, '/proc/10/ns/net', web);
    expect(taken).toEqual(['/proc/10/ns/net 10.2.1.1/16']);
  });
});
