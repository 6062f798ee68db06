import { expect, it } from 'vitest';
import { Claims, EXPOSED } from '../../src/ipam/claims.ts';
import { parseCidr } from '../../src/network/cidr.ts';
import { forgetSavedClaims } from '../../src/operations/forget-claims.ts';
import { MemoryState, StateFile } from '../../src/state/state.ts';
import { temporaryFolder } from '../support/folder.ts';

it('removes all claims from the saved state, and keeps the host-id', async () => {
  await using folder = await temporaryFolder();
  const state = await StateFile.open(folder.path);
  const claims = new Claims(state);
  await claims.add('stopped', [parseCidr('10.2.1.1/16')], { multicastRoute: false });
  await claims.add(EXPOSED, [parseCidr('10.2.0.1/16')]);
  await claims.masquerade([parseCidr('10.2.0.1/16')], false);
  await claims.release('stopped', [parseCidr('10.2.1.1/16')]);
  const mine = { name: 'mine.weave.local', ips: ['10.9.9.9'] };
  const gate = { name: 'gate.weave.local', ips: ['10.2.0.1'], container: EXPOSED };
  await state.change((before) => ({ ...before, names: [mine, gate] }));
  expect(await forgetSavedClaims(folder.path, ['labelled'])).toBe(true);
  expect((await MemoryState.copyOf(folder.path)).current).toEqual({
    version: 1,
    hostId: state.current.hostId,
    claims: { labelled: [], stopped: [] },
    attachments: {},
    unmasqueraded: [],
    leaving: {},
    names: [mine],
  });
});

it('creates nothing where no daemon has saved a state', async () => {
  await using folder = await temporaryFolder();
  expect(await forgetSavedClaims(folder.path, ['web'])).toBe(false);
  expect((await MemoryState.copyOf(folder.path)).current.claims).toEqual({});
  expect(await forgetSavedClaims(folder.path, ['web'])).toBe(false);
});
