import { statSync } from 'node:fs';
import { shortId } from '../docker/snapshot.ts';
import { HeddleError, hasCode, isDenied, systemCode } from '../errors.ts';
import { readAtMostSync } from '../runtime/bounded-file.ts';
import { kernelFailure, namespaceGone } from './netlink/kernel-error.ts';

/** A container's main process: its pid as Docker reports it, and the procfs in which that pid is valid. */
export interface ContainerProcess {
  /** `/proc`, or the mount point of the host's procfs: `/hostproc`. */
  readonly procfs: string;
  /** In the pid namespace of that procfs; 0 if the container has no process. */
  readonly pid: number;
  /** The full 64-digit id. */
  readonly containerId: string;
}

/** The network namespace of a container. */
export interface FoundNamespace {
  /** `/hostproc/1234/ns/net`; undefined for the host's own. */
  readonly path: string | undefined;
  /** Undefined without SYS_PTRACE; then the host's own namespace cannot be recognized either. */
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
    if (isDenied(error)) return { path, inode: undefined };
    throw kernelFailure(`read ${path}`, namespaceGone(path, error));
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
 * Makes sure that the process belongs to the container. A reused pid, or the pid of an engine in another pid namespace,
 * would lead into a foreign network. Needs no privilege.
 *
 * The evidence is the container's id in the path of its control group, with cgroup v1 and v2 alike. The kernel writes
 * these paths relative to the *reader's* cgroup namespace. In a private one, Docker's default with v2, other containers
 * still show as `0::/../docker-<id>.scope`. `0::/` alone is the reader's own group, or a host without groups (rootless
 * engines). Only then the mount table is read. It names the container in the folder from which Docker mounts
 * `/etc/hosts` and `/etc/resolv.conf`.
 * @throws HeddleError `not-running`
 */
export async function assertContainerProcess({ procfs, pid, containerId }: ContainerProcess): Promise<void> {
  const name = shortId(containerId);
  if (pid <= 0) throw new HeddleError('not-running', `container ${name} is not running`);
  const groups = groupPaths(processFile(`${procfs}/${pid}/cgroup`, name));
  if (groups.some((path) => path.includes(containerId))) return;
  const isInconclusive = groups.every((path) => path === '/');
  if (isInconclusive && processFile(`${procfs}/${pid}/mountinfo`, name).includes(`/${containerId}/`)) return;
  throw new HeddleError(
    'not-running',
    `process ${pid} does not belong to container ${name}: it has stopped, or ${procfs} is not the procfs of Docker's host`,
  );
}

/** Whether the process has ended, or its pid belongs to another one by now. False if the files cannot be read. */
export async function isGone(process: ContainerProcess): Promise<boolean> {
  try {
    await assertContainerProcess(process);
    return false;
  } catch (error) {
    return hasCode(error, 'not-running');
  }
}

/** Lines are `hierarchy:controllers:path`. */
const groupPaths = (cgroup: string): string[] =>
  cgroup
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':').slice(2).join(':'));

/** A container with SYS_ADMIN can add any number of mounts; Docker's own mounts come first. */
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
 * Makes sure that a namespace path still belongs to the container: the kernel may reuse a pid as soon as its process
 * has ended.
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

/** Inode of heddle's own network namespace, which never changes and is taken for the host's. */
export function ownNamespace(): number {
  ownInode ??= statSync('/proc/thread-self/ns/net').ino;
  return ownInode;
}

/** The error for a container in the host's namespace, the same for every engine. */
export const hostNetworkError = (): HeddleError =>
  new HeddleError(
    'host-network',
    "the container shares the host's network (--net=host): it has the host's addresses and can get no other",
  );
