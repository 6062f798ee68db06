/**
 * `npm run bench:watch`: how long one attachment takes, and how long it takes from an address that is there to an
 * entry of the roster that has it. A real container in a world of its own, the daemon's own parts in this process;
 * prints one JSON line a measure.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { runInWorld } from '../scripts/world/launch.ts';
import { parsePolicy } from '../src/addresses/policy.ts';
import { Follower } from '../src/containers/follow.ts';
import { Observer } from '../src/containers/observe.ts';
import { Roster } from '../src/containers/roster.ts';
import { DockerClient } from '../src/docker/client.ts';
import { DockerEngine } from '../src/docker/engine.ts';
import { dockerHost } from '../src/docker/host.ts';
import { silentLogger as log } from '../src/log.ts';
import { parseCidr } from '../src/network/cidr.ts';
import { IptablesFirewall } from '../src/network/firewall.ts';
import { KernelEngine } from '../src/network/kernel.ts';
import { findNamespace } from '../src/network/namespace.ts';
import { clearWorld } from '../test/support/cleanup.ts';
import { type Container, runContainer } from '../test/support/engine.ts';
import { figures } from './registration/figures.ts';

const INSIDE = 'HEDDLE_BENCH_INSIDE';
const TIMES = 200;

if (process.env[INSIDE] === undefined) {
  process.exitCode = await runInWorld([process.execPath, import.meta.filename], { [INSIDE]: '1' });
} else {
  await using container = await runContainer(['--net=none']);
  await measure(container);
  await clearWorld();
  process.exit(0);
}

async function measure(container: Container): Promise<void> {
  const bridge = 'weave';
  const firewall = new IptablesFirewall({ log }, { bridge, localBridges: ['docker0'] });
  const network = new KernelEngine({ firewall, log }, { bridge, interface: 'ethwe', mtu: 1450 });
  await network.ensureBridge();
  const roster = new Roster();
  const observer = new Observer(
    {
      namespaceOf: ({ id, pid }) => findNamespace({ procfs: '/proc', pid, containerId: id }),
      addressesIn: (path) => network.addresses(path),
      attach: undefined,
      wanted: async () => ({ cidrs: [], refused: false, problem: undefined }),
      found: async () => {},
      bridgeSubnets: async () => [],
      hostAddress: async () => undefined,
    },
    { policy: parsePolicy('ethwe') },
  );
  const docker = new DockerEngine(new DockerClient(dockerHost({})));
  const follower = new Follower({ docker, observer, roster, log });
  follower.start();
  await follower.synced;
  const watching = await network.watch((namespace) => follower.namespaceChanged(namespace));

  const target = { nsPath: `/proc/${await container.pid()}/ns/net`, container: container.id };
  const attached: number[] = [];
  const known: number[] = [];
  for (let time = 0; time < TIMES; time++) {
    const cidr = parseCidr(`10.2.${Math.floor(time / 250)}.${(time % 250) + 1}/16`);
    const from = performance.now();
    const seen = nextWith(cidr.ip);
    await network.attach(target, [cidr]);
    const there = performance.now();
    attached.push(there - from);
    known.push((await seen) - there);
    await network.detach(target, [cidr]);
    await sleep(20);
  }
  say('attach one address', attached);
  say('from the attached address to the roster', known);
  await watching.stop();
  await follower.stop();

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

function say(measured: string, times: readonly number[]): void {
  console.log(JSON.stringify({ measured, ...figures(times) }));
}
