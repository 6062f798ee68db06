import { networkInterfaces } from 'node:os';
import * as v from 'valibot';

/** The network `bridge` as an engine describes it. podman omits the options. */
const BridgeNetwork = v.object({
  Name: v.pipe(v.string(), v.minLength(1)),
  Options: v.fallback(v.record(v.string(), v.unknown()), {}),
  IPAM: v.fallback(
    v.object({ Config: v.fallback(v.array(v.object({ Gateway: v.fallback(v.string(), '') })), []) }),
    { Config: [] },
  ),
});

/** The Linux bridge of an engine's default network. */
export interface EngineBridge {
  readonly device: string;
  /** False for a guess: the engine does not name the device, and no device has the network's gateway address yet. */
  readonly isKnown: boolean;
}

/** Docker's own name for the bridge. podman numbers its bridges, and its default network has the first. */
export const DEFAULT_DEVICE = 'docker0';
const PODMAN_DEVICE = 'podman0';

const NAME_OPTION = 'com.docker.network.bridge.name';

/**
 * The device that the engine names, else the device of this host with the gateway's address. podman creates its bridge
 * with the first container, so it may not exist yet.
 */
export function bridgeOf(answer: unknown, deviceWith = deviceOfAddress): EngineBridge {
  const { Name: name, Options: options, IPAM: ipam } = v.parse(BridgeNetwork, answer);
  const named = options[NAME_OPTION];
  if (typeof named === 'string' && named !== '') return { device: named, isKnown: true };
  for (const { Gateway: gateway } of ipam.Config) {
    const device = gateway === '' ? undefined : deviceWith(gateway);
    if (device !== undefined) return { device, isKnown: true };
  }
  const hasOptions = Object.keys(options).length > 0;
  return { device: name === 'podman' || !hasOptions ? PODMAN_DEVICE : DEFAULT_DEVICE, isKnown: false };
}

function deviceOfAddress(ip: string): string | undefined {
  return Object.entries(networkInterfaces()).find(([, addresses]) =>
    addresses?.some(({ address }) => address === ip),
  )?.[0];
}
