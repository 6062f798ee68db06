import { constants, fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { shortId } from '../docker/snapshot.ts';
import { type ErrorCode, HeddleError, messageOf, systemCode } from '../errors.ts';
import type { ContainerProcess } from '../network/container-namespace.ts';
import { readAtMost } from '../runtime/bounded-file.ts';

/** asm-generic/fcntl.h, the same on amd64 and arm64; Node has no name for it. */
const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants;
/** Lists of thousands of names are smaller; a container can make its file as large as it likes. */
const MAX_BYTES = 1 << 20;

/**
 * Changes what a container reads at /etc/hosts: the file that Docker mounts there, in place, because a mount stays
 * with its file. Nothing is written where `edit` changes nothing. The text is of one character a byte.
 *
 * The way there leads through the container's own folders, so no link in them is followed, nothing is opened before it
 * is known what it is (a device, a pipe), and it must be the file that Docker keeps for this very container: a process
 * id that was used again, and a file of the host's that is mounted there, are none.
 * @throws HeddleError `not-supported` where there is no such file, or none that can be written; `not-permitted`
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
    await using place = await open(`${own(folder)}/hosts`, O_PATH | O_NOFOLLOW);
    if (!(await place.stat()).isFile()) throw unsuitable('it is no regular file');
    if (!(await isOfDocker(place, process))) throw unsuitable('it is not the file that Docker keeps for it');
    // Whoever holds a lease on it (fcntl F_SETLEASE) would have us wait for 45 s.
    await using file = await open(own(place), O_RDWR | O_NONBLOCK);
    editInPlace(file.fd, edit);
  } catch (error) {
    throw explained(process, error);
  }
}

/** Where a descriptor of ours leads, whatever has been put in its place meanwhile. */
const own = ({ fd }: FileHandle): string => `/proc/self/fd/${fd}`;

/** Whether it is mounted from Docker's folder of this container; the kernel numbers mounts for all namespaces. */
async function isOfDocker(
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

/** Without a pause: two of our own edits at once must not mix. */
function editInPlace(fd: number, edit: (text: string) => string): void {
  const { size } = fstatSync(fd);
  if (size > MAX_BYTES) throw unsuitable(`it is larger than ${MAX_BYTES} bytes`);
  const before = Buffer.alloc(size);
  const text = before.toString('latin1', 0, readSync(fd, before, 0, size, 0));
  const after = Buffer.from(edit(text), 'latin1');
  if (after.length > MAX_BYTES) throw unsuitable(`it would be larger than ${MAX_BYTES} bytes`);
  if (after.equals(before)) return;
  // Cut off after it is written: nobody may find it empty.
  const written = writeSync(fd, after, 0, after.length, 0);
  if (written < after.length) throw new Error(`only ${written} of ${after.length} bytes could be written`);
  if (after.length < size) ftruncateSync(fd, after.length);
}

const unsuitable = (what: string): HeddleError => new HeddleError('not-supported', what);

const NOT_PERMITTED =
  'run heddle as root with the capability SYS_PTRACE, and where Docker maps users (userns-remap) on the host itself';
const REASONS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOENT: ['not-supported', 'it has none, or has stopped'],
  ESRCH: ['not-supported', 'it has stopped'],
  ENOTDIR: ['not-supported', 'its /etc is no folder'],
  EAGAIN: ['failed', 'a process of it holds a lease on the file, which the kernel ends within a minute'],
  EROFS: ['not-supported', 'it is read-only, as all files of a container started with --read-only'],
  EACCES: ['not-permitted', NOT_PERMITTED],
  EPERM: ['not-permitted', NOT_PERMITTED],
};

function explained({ containerId }: ContainerProcess, error: unknown): HeddleError {
  const code = error instanceof HeddleError ? error.code : 'failed';
  const [kind, why] = REASONS[systemCode(error) ?? ''] ?? [code, messageOf(error)];
  const message = `cannot change /etc/hosts of container ${shortId(containerId)}: ${why}`;
  return new HeddleError(kind, message, { cause: error });
}
