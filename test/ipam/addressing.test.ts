import { beforeEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '../../src/docker/snapshot.ts';
import { HeddleError } from '../../src/errors.ts';
import { Addressing } from '../../src/ipam/addressing.ts';
import { Claims, EXPOSED } from '../../src/ipam/claims.ts';
import { parseRequest } from '../../src/ipam/request.ts';
import { formatCidr, parseCidr } from '../../src/network/cidr.ts';
import type { HostNetwork } from '../../src/network/engine.ts';
import { Roster } from '../../src/roster/roster.ts';
import { MemoryState } from '../../src/state/state.ts';
import { entryFor, snapshot } from '../support/snapshot.ts';

let state: MemoryState;
let roster: Roster;
let claims: Claims;
let existing: Map<string, Snapshot>;
let bridge: string[];
let host: HostNetwork[];
let inside: Map<string, string>;
let ended: Set<string>;
let nextPid = 100;
let addressing: Addressing;

beforeEach(() => {
  state = new MemoryState();
  roster = new Roster();
  roster.complete = true;
  claims = new Claims(state);
  existing = new Map();
  bridge = [];
  host = [];
  inside = new Map();
  ended = new Set();
  addressing = new Addressing(
    {
      claims,
      roster,
      docker: { inspect: async (id) => existing.get(id) },
      network: {
        hostAddresses: async () => bridge.map((cidr) => ({ ...parseCidr(cidr), interface: 'weave' })),
      },
      hostNetworks: async () => host,
      reader: {
        read: async (path) => {
          if (ended.has(path)) throw new HeddleError('not-running', 'its container has stopped');
          return [inside.get(path) ?? []].flat().map((cidr) => ({ ...parseCidr(cidr), interface: 'eth0' }));
        },
      },
    },
    {
      range: parseCidr('10.32.0.0/12'),
      defaultSubnet: undefined,
      bridge: 'weave',
      interface: 'ethwe',
      allowOverlap: false,
    },
  );
});

/** A running container that Docker and the roster know, with these addresses on ethwe and this in its metadata. */
function runs(name: string, more: { has?: string[]; asks?: string; pid?: number } = {}): Snapshot {
  const metadata = new Map(more.asks === undefined ? [] : [['WEAVE_CIDR', more.asks]]);
  const container = snapshot(name, { metadata, pid: more.pid ?? nextPid++ });
  existing.set(container.id, container);
  const addresses = (more.has ?? []).map((cidr) => ({ ...parseCidr(cidr), interface: 'ethwe' }));
  roster.set(entryFor(container, { addresses }));
  return container;
}

const claim = async ({ id }: Snapshot, ...texts: string[]): Promise<string> =>
  (await addressing.claim(id, texts.map(parseRequest), { place: { inode: roster.get(id)?.namespace } }))
    .map(formatCidr)
    .join(' ');
const wanted = async (container: Snapshot): Promise<string> => {
  const { cidrs, problem, refused } = await addressing.wanted(container, {
    path: `${container.pid}`,
    inode: container.pid,
  });
  return [cidrs.map(formatCidr).join(' '), refused ? 'refused' : '', problem ?? '']
    .filter(Boolean)
    .join(': ');
};

describe('who has which address', () => {
  it('two containers that request an address at the same moment get different ones, and keep them', async () => {
    const [web, db] = [runs('web'), runs('db')] as const;
    expect(await Promise.all([claim(web, 'net:default'), claim(db, 'net:default')])).toEqual([
      '10.32.0.1/12',
      '10.32.0.2/12',
    ]);
    expect(await claim(db, 'net:default')).toBe('10.32.0.2/12');
    expect(state.current.claims).toEqual({ [web.id]: ['10.32.0.1/12'], [db.id]: ['10.32.0.2/12'] });
  });

  it('what the metadata requests is claimed once, and stays over a restart of the daemon', async () => {
    const web = runs('web', { asks: 'net:default,10.2.1.1/16' });
    expect(await wanted(web)).toBe('10.32.0.1/12 10.2.1.1/16');
    expect(new Claims(state).of(web.id)?.map(formatCidr)).toEqual(['10.32.0.1/12', '10.2.1.1/16']);
    expect(await wanted(web)).toBe('10.32.0.1/12 10.2.1.1/16');
  });

  it('a stopped container keeps its address, a removed one does not', async () => {
    const web = runs('web');
    await claim(web, 'net:default');
    roster.set(entryFor({ ...web, pid: 0, running: false }));
    expect(await claim(runs('db'), 'net:default')).toBe('10.32.0.2/12');
    roster.delete(web.id);
    await claims.forget(web.id);
    expect(await claim(runs('other'), 'net:default')).toBe('10.32.0.1/12');
  });

  it("an address assigned to another container, or seen on it, is refused with that container's name", async () => {
    const given = runs('given');
    await claim(given, '10.2.1.1/16');
    runs('seen', { has: ['10.2.1.2/16'] });
    bridge = ['10.2.0.1/16'];
    const asking = runs('asking', { asks: '10.2.1.1/16' });
    await expect(claim(asking, '10.2.1.2/24')).rejects.toThrow(/belongs to container 'seen'/);
    await expect(claim(asking, '10.2.0.1/16')).rejects.toThrow(/belongs to the bridge weave/);
    await expect(addressing.check([parseRequest('10.2.1.1/16')])).rejects.toThrow(/'given' \(given0000000\)/);
    expect(await wanted(asking)).toMatch(/^refused: .*belongs to container 'given'/);
    expect(claims.of(asking.id)).toBeUndefined();
  });

  it('the address of a container that was just removed is free', async () => {
    const web = runs('web');
    await claim(web, '10.2.1.1/16');
    existing.delete(web.id);
    expect(await claim(runs('next'), '10.2.1.1/16')).toBe('10.2.1.1/16');
    expect(claims.of(web.id)).toBeUndefined();
  });

  it('containers in one network namespace share its addresses', async () => {
    const web = runs('web', { has: ['10.2.1.1/16'], pid: 7 });
    await claim(web, '10.2.1.1/16');
    expect(await claim(runs('sidecar', { has: ['10.2.1.1/16'], pid: 7 }), '10.2.1.1/16')).toBe('10.2.1.1/16');
  });

  it("an address that another program attached is the container's own, and detach refers to it", async () => {
    const web = runs('web', { has: ['10.32.0.9/12'] });
    expect(await claim(web, 'net:default')).toBe('10.32.0.9/12');
    expect((await addressing.meant(web.id, [parseRequest('net:default')])).map(formatCidr)).toEqual([
      '10.32.0.9/12',
    ]);
  });

  it('no container gets an address of the bridge, and the bridge may claim its own', async () => {
    bridge = ['10.32.0.1/12'];
    await addressing.claim(EXPOSED, [parseRequest('10.32.0.1/12')]);
    expect(await claim(runs('web'), 'net:default')).toBe('10.32.0.2/12');
  });

  it('no free address is assigned before the roster is complete, but a certain one is', async () => {
    roster.complete = false;
    const web = runs('web', { asks: 'net:default' });
    expect(await wanted(web)).toMatch(/^refused: no free address is assigned before/);
    expect(await claim(web, '10.2.1.1/16')).toBe('10.2.1.1/16');
    roster.complete = true;
    expect(await claim(web, 'net:default')).toBe('10.32.0.1/12');
  });

  it('what a container had before the daemon started is claimed, and what other programs attach later is not', async () => {
    const web = runs('web', { has: ['10.2.1.1/16'] });
    const addresses = () => roster.get(web.id)?.addresses ?? [];
    await addressing.adopt(web, addresses());
    expect(claims.of(web.id)).toBeUndefined();
    roster.complete = false;
    await addressing.adopt({ ...web, networkMode: 'container:other' }, addresses());
    expect(claims.of(web.id)).toBeUndefined();
    await addressing.adopt(web, addresses());
    expect(await wanted(web)).toBe('10.2.1.1/16');
    await claims.clear(web.id);
    await addressing.adopt(web, addresses());
    expect(await wanted(web)).toBe('');
  });

  it('a removed container is forgotten at the next start, and the exposed bridge is not', async () => {
    await claim(runs('web'), '10.2.1.1/16');
    await addressing.claim(EXPOSED, [parseRequest('10.2.0.1/16')]);
    await claims.prune({ get: () => undefined });
    expect(state.current.claims).toEqual({ [EXPOSED]: ['10.2.0.1/16'] });
  });
});

describe('a network that the host or the container already uses', () => {
  const route = (text: string, device = 'eth0') => ({ network: parseCidr(text), device });
  const owned = (ip: string, text: string, device = 'docker0') => ({ ...route(text, device), ip });

  it('is refused with its owner, and nothing is claimed', async () => {
    host = [owned('172.17.0.1', '172.17.0.0/16'), route('10.0.0.0/8')];
    const web = runs('web');
    await expect(claim(web, '172.17.0.1/16')).rejects.toThrow(/belongs to this host, on docker0/);
    await expect(claim(web, '172.17.0.9/24')).rejects.toThrow(/172\.17\.0\.0\/16 of docker0 on this host/);
    await expect(claim(web, '10.2.1.1/16')).rejects.toThrow(/to 10\.0\.0\.0\/8 by eth0/);
    await expect(claim(web, 'net:default')).rejects.toThrow(/to 10\.0\.0\.0\/8 by eth0.*--allow-overlap/);
    await expect(addressing.check([parseRequest('net:default')])).rejects.toThrow(/10\.0\.0\.0\/8/);
    await expect(addressing.claim(EXPOSED, [parseRequest('net:default')])).rejects.toThrow(/10\.0\.0\.0\/8/);
    expect(state.current.claims).toEqual({});
    expect(await wanted(runs('label', { asks: '10.2.1.1/16' }))).toMatch(/^refused: .*10\.0\.0\.0\/8/);
  });

  it('is assigned with allowOverlap, except for an address of the host, and stays', async () => {
    host = [owned('10.32.0.1', '10.0.0.0/8', 'eth0')];
    const web = runs('web');
    const insist = (...texts: string[]) =>
      addressing.claim(web.id, texts.map(parseRequest), { allowOverlap: true });
    await expect(insist('10.32.0.1/12')).rejects.toThrow(/belongs to this host, on eth0/);
    expect((await insist('net:default')).map(formatCidr)).toEqual(['10.32.0.2/12']);
    expect(await claim(web, 'net:default')).toBe('10.32.0.2/12');
    expect(await wanted(web)).toBe('10.32.0.2/12');
  });

  it('includes a network that another interface of the container is in', async () => {
    const web = runs('web', { asks: '10.2.1.1/16' });
    inside.set(`${web.pid}`, '10.2.200.7/24');
    expect(await wanted(web)).toMatch(
      /^refused: .*overlaps 10\.2\.200\.7\/24 on the container's other interface eth0/,
    );
  });

  it('is not checked for a container that has ended, which counts as no refusal', async () => {
    const web = runs('web', { asks: '10.2.1.1/16' });
    ended.add(`${web.pid}`);
    await expect(wanted(web)).rejects.toMatchObject({ code: 'not-running' });
  });

  it('does not include an interface on the bridge itself, if the bridge is Docker’s own', async () => {
    bridge = ['10.2.0.1/16'];
    const web = runs('web', { asks: '10.2.1.1/16' });
    inside.set(`${web.pid}`, '10.2.128.7/16');
    expect(await wanted(web)).toBe('10.2.1.1/16');
  });
});
