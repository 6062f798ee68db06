import { constants, fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { shortId } from '../docker/snapshot.ts';
import { type ErrorCode, HeddleError, messageOf, systemCode } from '../errors.ts';
import type { ContainerProcess } from '../network/container-namespace.ts';
import { readAtMost } from '../runtime/bounded-file.ts';

/** asm-generic/fcntl.h; the same on amd64 and arm64. Node has no constant for it. */
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants;
/** A list of thousands of names is smaller; a container controls the size of its file. */
const MAX_BYTES = 1 << 20;

/**
 * Changes what a container reads at /etc/hosts: the file that Docker mounts there. The file is changed in place,
 * because a mount stays with its file. If `edit` changes nothing, nothing is written. The text is latin1: one character
 * for each byte.
 *
 * The path leads through folders that the container controls. So no link in them is followed, and a file is opened only
 * after its type is known (it may be a device or a pipe). It must be the file that Docker keeps for this container. That
 * excludes a reused process id, and a file of the host that is mounted there.
 * @throws HeddleError `not-supported` if there is no such file or it is not writable; `not-permitted`
 */
export async function editHostsFile(
  process: ContainerProcess,
  edit: (text: string) => string,
): Promise<void> {
  try {
    await using folder = await open(
      `${process.procfs}/${process.pid}/root/etc`,
      O_PATH | O_DIRECTORY | O_NOFOLLOW,
    );
    await using place = await open(`${descriptorPath(folder)}/hosts`, O_PATH | O_NOFOLLOW);
    if (!(await place.stat()).isFile()) throw unsuitable('it is not a regular file');
    if (!(await isDockersFile(place, process)))
      throw unsuitable('it is not the file that Docker keeps for it');
    // O_NONBLOCK: a process that holds a lease on the file (fcntl F_SETLEASE) would block us for 45 s.
    await using file = await open(descriptorPath(place), O_RDWR | O_NONBLOCK);
    editInPlace(file.fd, edit);
  } catch (error) {
    throw hostsFileError(process, error);
  }
}

/** The path of an open descriptor: it leads to the same file even if the original path was replaced. */
const descriptorPath = ({ fd }: FileHandle): string => `/proc/self/fd/${fd}`;

/** Whether the file is mounted from Docker's folder of this container. Mount ids are unique across namespaces. */
async function isDockersFile(
  { fd }: FileHandle,
  { procfs, pid, containerId }: ContainerProcess,
): Promise<boolean> {
  const mount = /^mnt_id:\s*(\d+)$/m.exec(await readFile(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
  const mounts = await readAtMost(`${procfs}/${pid}/mountinfo`, MAX_BYTES);
  // Lines are `id parent device root mount-point …`; the root is the path on the device.
  const [, , , root = ''] =
    mounts
      .split('\n')
      .map((line) => line.split(' '))
      .find(([id]) => id === mount) ?? [];
  return root.includes(`/${containerId}/`) && root.endsWith('/hosts');
}

/** Synchronous, so that two concurrent edits of ours cannot interleave. */
function editInPlace(fd: number, edit: (text: string) => string): void {
  const { size } = fstatSync(fd);
  if (size > MAX_BYTES) throw unsuitable(`it is larger than ${MAX_BYTES} bytes`);
  const before = Buffer.alloc(size);
  const text = before.toString('latin1', 0, readSync(fd, before, 0, size, 0));
  const after = Buffer.from(edit(text), 'latin1');
  if (after.length > MAX_BYTES) throw unsuitable(`it would be larger than ${MAX_BYTES} bytes`);
  if (after.equals(before)) return;
  // Truncated after the write: no reader may find the file empty.
  const written = writeSync(fd, after, 0, after.length, 0);
  if (written < after.length) throw new Error(`only ${written} of ${after.length} bytes could be written`);
  if (after.length < size) ftruncateSync(fd, after.length);
}

const unsuitable = (what: string): HeddleError => new HeddleError('not-supported', what);

const NOT_PERMITTED =
  'run heddle as root with the capability SYS_PTRACE; if Docker maps users (userns-remap), run it on the host itself';
const REASONS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOENT: ['not-supported', 'it has no such file, or has stopped'],
  ESRCH: ['not-supported', 'it has stopped'],
  ENOTDIR: ['not-supported', 'its /etc is not a folder'],
  EAGAIN: [
    'failed',
    'one of its processes holds a lease on the file; the kernel breaks the lease within a minute',
  ],
  EROFS: ['not-supported', 'the file is read-only, like all files of a container started with --read-only'],
  EACCES: ['not-permitted', NOT_PERMITTED],
  EPERM: ['not-permitted', NOT_PERMITTED],
};

function hostsFileError({ containerId }: ContainerProcess, error: unknown): HeddleError {
  const code = error instanceof HeddleError ? error.code : 'failed';
  const [kind, why] = REASONS[systemCode(error) ?? ''] ?? [code, messageOf(error)];
  const message = `cannot change /etc/hosts of container ${shortId(containerId)}: ${why}`;
  return new HeddleError(kind, message, { cause: error });
}
