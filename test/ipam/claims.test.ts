import { beforeEach, describe, expect, it } from 'vitest';
import { Claims, EXPOSED } from '../../src/ipam/claims.ts';
import { formatCidr, parseCidr } from '../../src/network/cidr.ts';
import { MemoryState } from '../../src/state/state.ts';

let state: MemoryState;
let claims: Claims;
const [first, second] = [parseCidr('10.2.1.1/16'), parseCidr('10.2.1.2/16')] as const;
const of = (owner: string) => claims.of(owner)?.map(formatCidr);
const releasing = (owner: string) => claims.releasing(owner).map(formatCidr);

beforeEach(() => {
  state = new MemoryState();
  claims = new Claims(state);
});

describe('how an owner is attached', () => {
  const without = { multicastRoute: false } as const;

  it('is kept with the addresses over a restart, and stays where a claim does not change it', async () => {
    await claims.add('web', [first], without);
    await claims.add('web', [second]);
    expect(new Claims(state).optionsOf('web')).toEqual(without);
    expect(claims.optionsOf('other')).toEqual({});
  });

  it('can be chosen for an address that is assigned already', async () => {
    await claims.add('web', [first]);
    await claims.add('web', [first], without);
    expect(claims.optionsOf('web')).toEqual(without);
  });

  it('ends with the last address, in whatever way that is taken away', async () => {
    const ways = [
      () => claims.remove('web', [second]),
      () => claims.release('web', [second]),
      () => claims.release('sidecar', [second], ['web']),
      () => claims.clear('web'),
      () => claims.forget('web'),
    ];
    for (const goes of ways) {
      await claims.add('web', [first, second], without);
      await claims.remove('web', [first]);
      expect(claims.optionsOf('web')).toEqual(without);
      await goes();
      expect(state.current.attachments).toEqual({});
    }
  });

  it('is as before when an attachment that chose it is undone', async () => {
    await claims.add('web', [first]);
    await claims.add('web', [second], without);
    await claims.remove('web', [second], {});
    expect([of('web'), state.current.attachments]).toEqual([['10.2.1.1/16'], {}]);
  });
});

describe('an exposed address that is not masqueraded', () => {
  const unmasqueraded = () => new Claims(state).unmasqueraded().map(formatCidr);

  it('stays so over a restart, whatever else is exposed, until that is changed', async () => {
    await claims.add(EXPOSED, [first]);
    await claims.masquerade([first], false);
    await claims.add(EXPOSED, [second]);
    await claims.masquerade([second], true);
    expect(unmasqueraded()).toEqual(['10.2.1.1/16']);
    await claims.masquerade([first, second], true);
    expect(unmasqueraded()).toEqual([]);
  });

  it('is forgotten when it is hidden', async () => {
    for (const hide of [() => claims.release(EXPOSED, [first]), () => claims.forget(EXPOSED)]) {
      await claims.add(EXPOSED, [first]);
      await claims.masquerade([first], false);
      expect(unmasqueraded()).toEqual(['10.2.1.1/16']);
      await hide();
      await claims.add(EXPOSED, [first]);
      expect(unmasqueraded()).toEqual([]);
    }
  });
});

describe('a released address', () => {
  it('is free at once, and releasing until it is released', async () => {
    await claims.add('web', [first, second]);
    await claims.release('web', [first]);
    expect([of('web'), releasing('web')]).toEqual([['10.2.1.2/16'], ['10.2.1.1/16']]);
    expect(claims.withAddress('10.2.1.1')).toEqual([]);
    await claims.released('web', [first]);
    expect(state.current).toMatchObject({ claims: { web: ['10.2.1.2/16'] }, leaving: {} });
  });

  it('is lost by owners that share it, and by no other owner of the same network', async () => {
    await claims.add('web', [first, second]);
    await claims.add('other', [second]);
    await claims.release('sidecar', [first], ['web', 'other', 'unknown']);
    expect(state.current.claims).toEqual({ web: ['10.2.1.2/16'], other: ['10.2.1.2/16'], sidecar: [] });
    expect(releasing('sidecar')).toEqual(['10.2.1.1/16']);
  });

  it('is no longer releasing when it is assigned again, to any owner', async () => {
    await claims.add('web', [first]);
    await claims.release('web', [first]);
    await claims.add('web', [first]);
    expect([of('web'), releasing('web')]).toEqual([['10.2.1.1/16'], []]);
    await claims.release('web', [first]);
    await claims.add('sidecar', [first]);
    expect(releasing('web')).toEqual([]);
  });

  it('is forgotten with its owner', async () => {
    await claims.release('web', [first]);
    await claims.forget('web');
    expect(state.current).toMatchObject({ claims: {}, leaving: {} });
  });
});
