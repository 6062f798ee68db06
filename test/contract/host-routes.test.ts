import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { formatCidr } from '../../src/network/cidr.ts';
import { readRoutes } from '../../src/network/host-networks.ts';
import { loadLibc } from '../../src/network/netlink/libc.ts';
import { requirePrivateNetwork, startNamespace } from '../support/namespaces.ts';

/** More than a thread of the pool needs to open a file. */
const INSIDE_MS = 100;

test("the host's routes are the host's while the main thread is in a container's network", async () => {
  requirePrivateNetwork();
  const libc = await loadLibc();
  const container = await startNamespace();
  const namespace = openSync(container.nsPath, 'r');
  try {
    await container.run('ip', 'link', 'set', 'lo', 'up');
    await container.run('ip', 'route', 'add', '10.66.0.0/16', 'dev', 'lo');
    await readFile('/proc/version'); // the pool has its threads before anybody goes anywhere
    const reading = libc.inNamespace(namespace, () => {
      const begun = readRoutes();
      const end = performance.now() + INSIDE_MS;
      while (performance.now() < end);
      return begun;
    });
    const routes = (await reading).map(({ network }) => formatCidr(network));
    expect(routes).not.toContain('10.66.0.0/16');
  } finally {
    closeSync(namespace);
    await container.end();
  }
});
