import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../test/support/eventually.ts';
import { temporaryFolder } from '../../test/support/folder.ts';
import { type Daemon, type LogLine, startDaemon } from '../../test/support/heddle.ts';
import { kernelEngine } from '../../test/support/kernel-engine.ts';
import { type LabNamespace, startNamespace } from '../../test/support/namespaces.ts';
import { cpuMs } from '../registration/measures.ts';
import { SimulatedEngine } from '../registration/simulated.ts';

const LANES = 25;

/**
 * Measures from the daemon's spawn until every running container has its requested address. The namespaces and their
 * processes are real. The engine is simulated, because the machine cannot hold so many real containers. A /proc of its
 * own provides the control groups by which the simulated ids are found.
 */
export async function measureRepair(count: number): Promise<{ tookMs: number; cpuMs: number }> {
  const namespaces: LabNamespace[] = [];
  try {
    while (namespaces.length < count)
      namespaces.push(
        ...(await Promise.all(Array.from({ length: LANES }, () => startNamespace({ ipv6: false })))),
      );
    await using procfs = await temporaryFolder();
    const pids = namespaces.map(({ nsPath }) => Number(nsPath.split('/')[2]));
    await using engine = await SimulatedEngine.start(count, pids);
    for (const [index, pid] of pids.entries()) await writeProcess(procfs.path, pid, engine.ids[index] ?? '');
    const from = Date.now();
    await using daemon = await startDaemon(['--procfs', procfs.path], { DOCKER_HOST: engine.address });
    const looked = await eventually(() => lineOf(daemon, 'all containers inspected'), { within: 30_000 });
    const cpu = cpuMs(daemon.pid);
    const network = kernelEngine('weave');
    for (const { nsPath } of namespaces) {
      if ((await network.addresses(nsPath)).length !== 1)
        throw new Error(`${nsPath} does not have exactly one address`);
    }
    return { tookMs: Date.parse(String(looked.time)) - from, cpuMs: cpu };
  } finally {
    await Promise.all(namespaces.map((namespace) => namespace.end()));
  }
}

async function writeProcess(procfs: string, pid: number, id: string): Promise<void> {
  const folder = join(procfs, `${pid}`);
  await mkdir(join(folder, 'ns'), { recursive: true });
  await writeFile(join(folder, 'cgroup'), `0::/docker/${id}\n`);
  await symlink(`/proc/${pid}/ns/net`, join(folder, 'ns/net'));
}

function lineOf({ log }: Daemon, message: string): LogLine {
  const line = log.find(({ msg }) => msg === message);
  if (line === undefined) throw new Error(`the daemon has not logged "${message}"`);
  return line;
}
