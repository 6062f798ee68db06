import { parsePolicy } from '../../src/addresses/policy.ts';
import { Follower } from '../../src/containers/follow.ts';
import { Observer } from '../../src/containers/observe.ts';
import { DockerClient } from '../../src/docker/client.ts';
import { DockerEngine } from '../../src/docker/engine.ts';
import { engineAddress } from '../../src/docker/engine-address.ts';
import { parseCidr } from '../../src/network/cidr.ts';
import { findNamespace } from '../../src/network/container-namespace.ts';
import { IptablesFirewall } from '../../src/network/firewall/firewall.ts';
import { KernelEngine } from '../../src/network/kernel-engine.ts';
import { Roster } from '../../src/roster/roster.ts';
import { silentLogger as log } from '../../src/runtime/log.ts';
import { runContainer } from '../../test/support/engine.ts';
import { observerNeeds } from '../../test/support/observer.ts';
import { type Figures, figures } from '../registration/figures.ts';

/**
 * Measures from a new address in the kernel to its entry in the roster: real containers, attached by the daemon's own
 * parts in this process. Each round has a new container: one that keeps changing its addresses is inspected less often.
 */
export async function measureWatch(rounds: number): Promise<Figures> {
  const bridge = 'weave';
  const firewall = new IptablesFirewall({ log }, { bridge, localBridges: ['docker0'] });
  const network = new KernelEngine({ firewall, log }, { bridge, interface: 'ethwe', mtu: 1450 });
  await network.ensureBridge();
  const roster = new Roster();
  const observer = new Observer(
    observerNeeds({
      namespaceOf: ({ id, pid }) => findNamespace({ procfs: '/proc', pid, containerId: id }),
      reader: { read: (path) => network.addresses(path) },
    }),
    { policy: parsePolicy('ethwe'), attaches: false },
  );
  const docker = new DockerEngine(new DockerClient(engineAddress({})));
  const follower = new Follower({ docker, observer, roster, log });
  follower.start();
  await follower.synced;
  const watching = await network.watch((namespace) => follower.namespaceChanged(namespace));

  const known: number[] = [];
  for (let time = 0; time < rounds; time++) {
    await using container = await runContainer(['--net=none']);
    await follower.inspect(container.id);
    const target = { nsPath: `/proc/${await container.pid()}/ns/net`, container: container.id };
    const cidr = parseCidr(`10.2.${Math.floor(time / 250)}.${(time % 250) + 1}/16`);
    const seen = nextWith(cidr.ip);
    await network.attach(target, [cidr]);
    const there = performance.now();
    known.push((await seen) - there);
  }
  await watching.stop();
  await follower.stop();
  await network.removeBridge();
  return figures(known);

  function nextWith(ip: string): Promise<number> {
    return new Promise((resolve) => {
      const look = ({ addresses }: { readonly addresses: readonly { readonly ip: string }[] }) => {
        if (!addresses.some((address) => address.ip === ip)) return;
        roster.off('set', look);
        resolve(performance.now());
      };
      roster.on('set', look);
    });
  }
}
