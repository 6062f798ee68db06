import { chmod, chown, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HeddleError, messageOf, systemCode } from '../errors.ts';
import type { FileChange } from './plan.ts';

/** The text of a file; undefined where there is no file. */
export async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw cannotChange(path, error);
  }
}

/**
 * Replaces a file atomically: a concurrent reader sees the old text or the new. Owner and mode stay.
 * @throws HeddleError `refused` or `failed`; the file is unchanged then
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

/** Why the system refuses to change a file, by error code, and what to do. */
const REASONS: Readonly<Record<string, string>> = {
  EROFS: 'its file system is mounted read-only',
  EBUSY: 'it is a mount of its own, as in a container; change the file that is mounted there',
  EPERM: 'even root may not: it may be immutable (`lsattr` shows an i; `chattr -i` removes it)',
  EACCES: 'run as root',
};

function cannotChange(path: string, cause: unknown): HeddleError {
  const reason = REASONS[systemCode(cause) ?? ''];
  if (!reason) return new HeddleError('failed', `cannot change ${path}: ${messageOf(cause)}`, { cause });
  return new HeddleError('refused', `cannot change ${path}: ${reason}`, { cause });
}
