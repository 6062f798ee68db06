import type { Settings } from '../config/schema.ts';
import type { Io } from '../io.ts';
import { silentLogger } from '../log.ts';
import { IptablesFirewall } from '../network/firewall.ts';
import { KernelEngine } from '../network/kernel.ts';
import { answer } from './format.ts';

/**
 * Creates the bridge in this very process: it is what a Docker engine started with --bridge=weave needs before it
 * can run. Prints nothing, like the script's word of that name.
 */
export async function createBridge(
  settings: Settings,
  options: { readonly format?: unknown },
  io: Io,
): Promise<number> {
  const { bridge, mtu, interface: device, dockerBridge = 'docker0' } = settings;
  const firewall = new IptablesFirewall({ log: silentLogger }, { bridge, localBridges: [dockerBridge] });
  const network = new KernelEngine({ firewall, log: silentLogger }, { bridge, interface: device, mtu });
  await network.ensureBridge();
  answer(io, options, '', { bridge });
  return 0;
}
