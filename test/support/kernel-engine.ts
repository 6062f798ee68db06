import { KernelEngine, type KernelEngineNeeds } from '../../src/network/kernel-engine.ts';
import { silentLogger as log } from '../../src/runtime/log.ts';
import { TEST_BRIDGE } from './namespaces.ts';

/** The kernel's engine as the daemon has it, without firewall rules; on a bridge of tests when none is named. */
export function kernelEngine(
  bridge: string = TEST_BRIDGE,
  needs: Pick<KernelEngineNeeds, 'confirm'> = {},
  mtu = 1450,
): KernelEngine {
  return new KernelEngine({ firewall: NO_RULES, log, ...needs }, { bridge, interface: 'ethwe', mtu });
}

const NO_RULES = {
  ensureRules: async () => {},
  masquerade: async () => {},
  isolate: async () => {},
  unmasquerade: async () => {},
  removeRules: async () => {},
};
