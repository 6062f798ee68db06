import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Claims, EXPOSED } from '../../src/ipam/claims.ts';
import { BridgeRepair } from '../../src/network/bridge-repair.ts';
import { formatCidr, parseCidr } from '../../src/network/cidr.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { MemoryState } from '../../src/state/state.ts';
import { FakeNetworkEngine } from '../support/fake-network.ts';

const [first, second] = [parseCidr('10.2.0.1/16'), parseCidr('10.2.0.2/16')] as const;
let network: FakeNetworkEngine;
let claims: Claims;
let repair: BridgeRepair;
const onBridge = async () => (await network.hostAddresses('weave')).map(formatCidr);

beforeEach(() => {
  network = new FakeNetworkEngine();
  claims = new Claims(new MemoryState());
  repair = new BridgeRepair({
    network,
    exposed: () => claims.of(EXPOSED) ?? [],
    unmasqueraded: () => claims.unmasqueraded(),
    releasing: () => claims.releasing(EXPOSED),
    released: (cidrs) => claims.released(EXPOSED, cidrs),
    log: silentLogger,
  });
});
afterEach(() => repair.stop());

const repairOnce = async () => {
  repair.start();
  await repair.stop();
};

it('creates no bridge that is not needed', async () => {
  await repairOnce();
  expect(await network.restoreBridge()).toBe(false);
});

it('finishes a hide that a killed daemon had begun', async () => {
  await network.expose([first, second]);
  await claims.add(EXPOSED, [first, second]);
  await claims.release(EXPOSED, [first]);
  await repairOnce();
  expect(await onBridge()).toEqual(['10.2.0.2/16']);
  expect(claims.releasing(EXPOSED)).toEqual([]);
});

it('restores a deleted bridge and its exposed addresses', async () => {
  network.addNamespace('/ns');
  await network.expose([first]);
  await network.attach({ nsPath: '/ns', container: 'web' }, [second]);
  network.loseBridge();
  await repairOnce();
  expect(await network.restoreBridge()).toBe(true);
  expect(await onBridge()).toEqual([]);
  await claims.add(EXPOSED, [first]);
  await repairOnce();
  expect(await onBridge()).toEqual(['10.2.0.1/16']);
});

it('does not masquerade an address exposed without masquerading, even while another one is hidden', async () => {
  await claims.add(EXPOSED, [first, second]);
  await claims.masquerade([second], false);
  await claims.release(EXPOSED, [first]);
  const [expose, hide] = [vi.spyOn(network, 'expose'), vi.spyOn(network, 'hide')];
  await repairOnce();
  expect(hide).toHaveBeenCalledExactlyOnceWith([first], { unmasqueraded: [second] });
  expect(expose).toHaveBeenCalledExactlyOnceWith([second], { unmasqueraded: [second] });
});

it('restores nothing that is removed during a repair', async () => {
  await network.expose([first]);
  await claims.add(EXPOSED, [first]);
  const [begun, going] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const expose = network.expose.bind(network);
  vi.spyOn(network, 'expose').mockImplementation(async (cidrs) => {
    begun.resolve();
    await going.promise;
    await expose(cidrs);
  });
  repair.repairSoon();
  await begun.promise;
  await claims.release(EXPOSED, [first]);
  const hidden = repair.exclusively(() => network.hide([first]));
  going.resolve();
  await hidden;
  await repair.stop();
  expect(await onBridge()).toEqual([]);
});

it('goes on after a change that failed', async () => {
  await claims.add(EXPOSED, [first]);
  await expect(repair.exclusively(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await repairOnce();
  expect(await onBridge()).toEqual(['10.2.0.1/16']);
});

it('repairs again every ten seconds', async () => {
  vi.useFakeTimers();
  try {
    await claims.add(EXPOSED, [first]);
    repair.start();
    await vi.advanceTimersByTimeAsync(1);
    network.loseBridge();
    expect(await onBridge()).toEqual([]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await onBridge()).toEqual(['10.2.0.1/16']);
  } finally {
    vi.useRealTimers();
  }
});
