import { expect, test } from 'vitest';
import { formatCidr } from '../../src/network/cidr.ts';
import { kernelEngine } from '../support/kernel-engine.ts';
import { requirePrivateNetwork, startNamespace } from '../support/namespaces.ts';

test("the host's routes are read from the host, however often a container's network is entered meanwhile", async () => {
  requirePrivateNetwork();
  const engine = kernelEngine();
  const container = await startNamespace();
  try {
    await container.run('ip', 'link', 'set', 'lo', 'up');
    await container.run('ip', 'route', 'add', '10.66.0.0/16', 'dev', 'lo');
    for (let round = 0; round < 500; round++) {
      const reading = engine.hostNetworks();
      const entering = Array.from({ length: 10 }, () => engine.addresses(container.nsPath));
      const networks = (await reading).map(({ network }) => formatCidr(network));
      expect(networks, `round ${round}`).not.toContain('10.66.0.0/16');
      await Promise.all(entering);
    }
  } finally {
    await container.end();
  }
});
