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
let stranded: StaleSharers;

beforeEach(() => {
  roster = new Roster();
  claims = new Claims(new MemoryState());
  existing = new Map([web, side].map((container) => [container.id, container]));
  taken = [];
  stranded = new StaleSharers({
    roster,
    claims,
    docker: { inspect: async (id) => existing.get(id) },
    // Every process is in a namespace that is called after its pid.
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

describe('a network that its container has left', () => {
  it('loses the addresses that the container is about to get elsewhere', async () => {
    has(side);
    await stranded.release(web, [cidr]);
    expect(taken).toEqual(['/proc/10/ns/net 10.2.1.1/16']);
  });

  it.each([
    ['the container itself', { ...web, pid: 10 }],
    ['one that shares its present network', { ...side, pid: 20 }],
    ["one that shares nobody's", snapshot('other', { pid: 10 })],
    ['one that has ended', { ...side, pid: 0 }],
  ])('is not that of %s', async (_, holder) => {
    has(holder);
    await stranded.release(web, [cidr]);
    expect(taken).toEqual([]);
  });

  it('is told by what it shared, as long as that runs elsewhere', async () => {
    expect(await stranded.leftBy(side, 10)).toBe(web);
    expect(await stranded.leftBy(side, 20)).toBeUndefined();
    expect(await stranded.leftBy(web, 20)).toBeUndefined();
    existing.set(web.id, { ...web, pid: 0 });
    expect(await stranded.leftBy(side, 10)).toBeUndefined();
    existing.delete(web.id);
    expect(await stranded.leftBy(side, 10)).toBeUndefined();
  });

  it('is cleared of what its container was given, and of nothing else', async () => {
    await claims.add(web.id, [cidr]);
    await stranded.clear(side, '/proc/10/ns/net', web);
    expect(taken).toEqual(['/proc/10/ns/net 10.2.1.1/16']);
  });
});
