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
let keeper: BridgeRepair;
const onBridge = async () => (await network.hostAddresses('weave')).map(formatCidr);

beforeEach(() => {
  network = new FakeNetworkEngine();
  claims = new Claims(new MemoryState());
  keeper = new BridgeRepair({
    network,
    exposed: () => claims.of(EXPOSED) ?? [],
    unmasqueraded: () => claims.unmasqueraded(),
    releasing: () => claims.releasing(EXPOSED),
    released: (cidrs) => claims.released(EXPOSED, cidrs),
    log: silentLogger,
  });
});
afterEach(() => keeper.stop());

const look = async () => {
  keeper.start();
  await keeper.stop();
};

it('makes no bridge where nobody needs one', async () => {
  await look();
  expect(await network.restoreBridge()).toBe(false);
});

it('finishes hiding what a killed daemon had begun to hide', async () => {
  await network.expose([first, second]);
  await claims.add(EXPOSED, [first, second]);
  await claims.release(EXPOSED, [first]);
  await look();
  expect(await onBridge()).toEqual(['10.2.0.2/16']);
  expect(claims.releasing(EXPOSED)).toEqual([]);
});

it('brings back a bridge that somebody deleted, with what was exposed', async () => {
  network.addNamespace('/ns');
  await network.expose([first]);
  await network.attach({ nsPath: '/ns', container: 'web' }, [second]);
  network.loseBridge();
  await look();
  expect(await network.restoreBridge()).toBe(true);
  expect(await onBridge()).toEqual([]);
  await claims.add(EXPOSED, [first]);
  await look();
  expect(await onBridge()).toEqual(['10.2.0.1/16']);
});

it('masquerades nobody who was exposed without, also behind one that is being hidden', async () => {
  await claims.add(EXPOSED, [first, second]);
  await claims.masquerade([second], false);
  await claims.release(EXPOSED, [first]);
  const [expose, hide] = [vi.spyOn(network, 'expose'), vi.spyOn(network, 'hide')];
  await look();
  expect(hide).toHaveBeenCalledExactlyOnceWith([first], { unmasqueraded: [second] });
  expect(expose).toHaveBeenCalledExactlyOnceWith([second], { unmasqueraded: [second] });
});

it('brings nothing back that is taken away while it looks', async () => {
  await network.expose([first]);
  await claims.add(EXPOSED, [first]);
  const [begun, going] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const expose = network.expose.bind(network);
  vi.spyOn(network, 'expose').mockImplementation(async (cidrs) => {
    begun.resolve();
    await going.promise;
    await expose(cidrs);
  });
  keeper.repairSoon();
  await begun.promise;
  await claims.release(EXPOSED, [first]);
  const hidden = keeper.exclusively(() => network.hide([first]));
  going.resolve();
  await hidden;
  await keeper.stop();
  expect(await onBridge()).toEqual([]);
});

it('goes on looking when what was to be taken away could not be', async () => {
  await claims.add(EXPOSED, [first]);
  await expect(keeper.exclusively(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await look();
  expect(await onBridge()).toEqual(['10.2.0.1/16']);
});

it('looks again every ten seconds', async () => {
  vi.useFakeTimers();
  try {
    await claims.add(EXPOSED, [first]);
    keeper.start();
    await vi.advanceTimersByTimeAsync(1);
    network.loseBridge();
    expect(await onBridge()).toEqual([]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await onBridge()).toEqual(['10.2.0.1/16']);
  } finally {
    vi.useRealTimers();
  }
});
