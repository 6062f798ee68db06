import { chmod, chown, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HeddleError, messageOf, systemCode } from '../errors.ts';
import type { FileChange } from './plan.ts';

/** The text of a file, undefined where there is none. */
export async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw cannotChange(path, error);
  }
}

/**
 * Makes a file what it should be, all at once: whoever reads it meanwhile finds the old text or the new. Owner and
 * mode stay.
 * @throws HeddleError `refused` or `failed`, the file being as it was
 */
export async function replaceFile({ path, after }: FileChange): Promise<void> {
  try {
    if (after === undefined) await rm(path, { force: true });
    else await writeBeside(path, after);
  } catch (error) {
    throw cannotChange(path, error);
  }
}

async function writeBeside(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const temporary = join(dirname(path), `.${basename(path)}.heddle`);
  try {
    const file = await open(temporary, 'w', 0o644);
    try {
      await file.writeFile(text, 'latin1');
      await file.sync();
    } finally {
      await file.close();
    }
    const old = await stat(path).catch(() => undefined);
    if (old) {
      await chown(temporary, old.uid, old.gid);
      await chmod(temporary, old.mode & 0o7777);
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** What the system says when a file may not be changed, and what its owner can do. */
const REASONS: Readonly<Record<string, string>> = {
  EROFS: 'it lies on a file system that is mounted read-only',
  EBUSY: 'it is a mount of its own, as in a container; change it where it is mounted from',
  EPERM:
    'the system forbids it even to root: it may be immutable (`lsattr` shows an i; `chattr -i` takes it off)',
  EACCES: 'that needs root',
};

function cannotChange(path: string, cause: unknown): HeddleError {
  const reason = REASONS[systemCode(cause) ?? ''];
  if (!reason) return new HeddleError('failed', `cannot change ${path}: ${messageOf(cause)}`, { cause });
  return new HeddleError('refused', `cannot change ${path}: ${reason}`, { cause });
}
