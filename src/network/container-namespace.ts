import { statSync } from 'node:fs';
import { shortId } from '../docker/snapshot.ts';
import { HeddleError, systemCode } from '../errors.ts';
import { readAtMostSync } from '../runtime/bounded-file.ts';
import { kernelFailure, namespaceGone } from './netlink/kernel-error.ts';

/** A container's main process, as Docker and the mounted procfs name it. */
export interface ContainerProcess {
  /** `/proc`, or where the host's is mounted: `/hostproc`. */
  readonly procfs: string;
  /** In the pid namespace of that procfs; 0 for none. */
  readonly pid: number;
  /** The full 64-digit id. */
  readonly containerId: string;
}

/** Where a container's network is. */
export interface FoundNamespace {
  /** `/hostproc/1234/ns/net`; undefined for the host's own. */
  readonly path: string | undefined;
  /** Undefined where SYS_PTRACE is missing; then the host's own cannot be told from others either. */
  readonly inode: number | undefined;
}

/**
 * Finds the network namespace of a container.
 * @throws HeddleError `not-running`
 */
export async function findNamespace(process: ContainerProcess): Promise<FoundNamespace> {
  await assertContainerProcess(process);
  const path = `${process.procfs}/${process.pid}/ns/net`;
  try {
    const { ino } = statSync(path);
    return { path: ino === ownNamespace() ? undefined : path, inode: ino };
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EACCES' || code === 'EPERM') return { path, inode: undefined };
    throw kernelFailure(`look at ${path}`, namespaceGone(path, error));
  }
}

/**
 * Path of the container's own network namespace, for the engine.
 * @throws HeddleError `not-running`, `host-network`
 */
export async function containerNamespace(process: ContainerProcess): Promise<string> {
  const { path } = await findNamespace(process);
  if (path === undefined) throw hostNetworkError();
  return path;
}

/**
 * Makes sure that the process is the container's: a pid that was used again, or one of an engine in another pid
 * namespace, would lead into somebody else's network. Needs no privilege.
 *
 * The evidence is the container's id in the path of its control group, with cgroup v1 and v2 alike. The kernel writes
 * those paths as seen from the *reader's* cgroup namespace: from a private one, as Docker gives with v2, other
 * containers still show as `0::/../docker-<id>.scope`; `0::/` alone is the reader's own group, or a host that puts
 * nobody into groups (rootless engines do so). Only then the mount table is asked, which names the container by the
 * folder that Docker mounts `/etc/hosts` and `/etc/resolv.conf` from.
 * @throws HeddleError `not-running`
 */
export async function assertContainerProcess({ procfs, pid, containerId }: ContainerProcess): Promise<void> {
  const name = shortId(containerId);
  if (pid <= 0) throw new HeddleError('not-running', `container ${name} is not running`);
  const groups = groupPaths(processFile(`${procfs}/${pid}/cgroup`, name));
  if (groups.some((path) => path.includes(containerId))) return;
  const silent = groups.every((path) => path === '/');
  if (silent && processFile(`${procfs}/${pid}/mountinfo`, name).includes(`/${containerId}/`)) return;
  throw new HeddleError(
    'not-running',
    `process ${pid} is not of container ${name}: it has stopped, or ${procfs} is not the proc of Docker's host`,
  );
}

/** Whether the process is gone, or is another's by now. What cannot be read says neither. */
export async function isGone(process: ContainerProcess): Promise<boolean> {
  try {
    await assertContainerProcess(process);
    return false;
  } catch (error) {
    return error instanceof HeddleError && error.code === 'not-running';
  }
}

/** Lines are `hierarchy:controllers:path`. */
const groupPaths = (cgroup: string): string[] =>
  cgroup
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':').slice(2).join(':'));

/** A container with SYS_ADMIN mounts as often as it likes; what Docker mounts stands before that. */
const MAX_BYTES = 1 << 20;

function processFile(path: string, name: string): string {
  try {
    return readAtMostSync(path, MAX_BYTES);
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOENT' && code !== 'ESRCH') throw kernelFailure(`read ${path}`, error);
    throw new HeddleError('not-running', `container ${name} has stopped: there is no ${path}`, {
      cause: error,
    });
  }
}

/**
 * Makes sure that a path that was found for a container still leads into its network: a process id is used again as
 * soon as its process has ended.
 * @param nsPath `/hostproc/1234/ns/net`
 * @throws HeddleError `not-running`
 */
export async function assertNamespaceOf(nsPath: string, containerId: string): Promise<void> {
  const [, procfs, pid] = /^(.*)\/(\d+)\/ns\/net$/.exec(nsPath) ?? [];
  if (procfs === undefined || pid === undefined)
    throw new Error(`${nsPath} is no process's network namespace`);
  await assertContainerProcess({ procfs, pid: Number(pid), containerId });
}

let ownInode: number | undefined;

/** Inode of the network namespace that heddle itself is in, always the same: the host's, as far as heddle can tell. */
export function ownNamespace(): number {
  ownInode ??= statSync('/proc/thread-self/ns/net').ino;
  return ownInode;
}

/** What every engine says of a namespace that is the host's. */
export const hostNetworkError = (): HeddleError =>
  new HeddleError(
    'host-network',
    "the container shares the host's network (--net=host): it has the host's addresses and can get no other",
  );
