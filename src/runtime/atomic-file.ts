import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The Node calls that AtomicFile uses; tests replace them to make them fail. */
export interface FileCalls {
  readonly mkdir: typeof mkdir;
  readonly open: typeof open;
  readonly readFile: typeof readFile;
  readonly rename: typeof rename;
  readonly rm: typeof rm;
}

/** A small file that is replaced as a whole: a reader sees the old or the new content, also after a crash. */
export class AtomicFile {
  readonly path: string;
  readonly #calls: FileCalls;

  constructor(path: string, calls: FileCalls = { mkdir, open, readFile, rename, rm }) {
    this.path = path;
    this.#calls = calls;
  }

  /**
   * @returns undefined, or the disk's error if the new content is in place but a host crash may restore the old one
   * @throws as Node does; the old content is then still in place
   */
  async write(text: string): Promise<unknown> {
    const temporary = `${this.path}.new`;
    const { mkdir, open, rename, rm } = this.#calls;
    await mkdir(dirname(this.path), { recursive: true, mode: 0o755 });
    // Opened before the rename: a failure to open it afterwards would be reported although the content has changed.
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
      // On a full disk, half a file would occupy space.
      await rm(temporary, { force: true }).catch(() => {});
      throw error;
    } finally {
      await folder.close().catch(() => {});
    }
  }

  /** @throws as Node does */
  read(): Promise<string> {
    return this.#calls.readFile(this.path, 'utf8');
  }
}
