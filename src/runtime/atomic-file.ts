import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The calls of Node that it is made of; tests have them fail. */
export interface FileCalls {
  readonly mkdir: typeof mkdir;
  readonly open: typeof open;
  readonly readFile: typeof readFile;
  readonly rename: typeof rename;
  readonly rm: typeof rm;
}

/** A small file that is replaced as a whole: whoever reads it finds one content or the other, also after a crash. */
export class AtomicFile {
  readonly path: string;
  readonly #calls: FileCalls;

  constructor(path: string, calls: FileCalls = { mkdir, open, readFile, rename, rm }) {
    this.path = path;
    this.#calls = calls;
  }

  /**
   * @returns the disk's error where the new content is in place, but a crash of the host may bring back the old one;
   * else undefined
   * @throws as Node does, and then the old content is still in place
   */
  async write(text: string): Promise<unknown> {
    const temporary = `${this.path}.new`;
    const { mkdir, open, rename, rm } = this.#calls;
    await mkdir(dirname(this.path), { recursive: true, mode: 0o755 });
    // Opened before the rename: a failure after it must not be reported as one that changed nothing.
    const folder = await open(dirname(this.path));
    try {
      const file = await open(temporary, 'w', 0o600);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, this.path);
      return await folder.sync().catch((error: unknown) => error);
    } catch (error) {
      // On a full disk half a file would be in the way.
      await rm(temporary, { force: true }).catch(() => {});
      throw error;
    } finally {
      await folder.close().catch(() => {});
    }
  }

  /** Throws as Node does. */
  read(): Promise<string> {
    return this.#calls.readFile(this.path, 'utf8');
  }
}
