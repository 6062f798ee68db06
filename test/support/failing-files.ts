import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import type { FileCalls } from '../../src/runtime/atomic-file.ts';

/** The steps of writing a file, in their order, that leave it as it was where they fail. */
export const STEPS = ['mkdir', 'open folder', 'open', 'write', 'sync', 'rename'] as const;
export type Step = (typeof STEPS)[number] | 'sync folder';

export const failure = (code: string): Error =>
  Object.assign(new Error(`${code}: as a test wants it`), { code });

/** Node's own calls on files, of which one step fails for as long as a test wants it. */
export class FailingFiles implements FileCalls {
  /** What fails, and how. */
  fault: { readonly step: Step; readonly code: string } | undefined;
  /** Steps that failed. */
  failed = 0;
  readonly mkdir = ((...given: Parameters<typeof mkdir>) =>
    this.#at('mkdir', () => mkdir(...given))) as typeof mkdir;
  readonly rename: typeof rename = (...given) => this.#at('rename', () => rename(...given));
  readonly readFile = readFile;
  readonly rm = rm;
  readonly open: typeof open = async (path, flags, mode) => {
    const isFolder = flags === undefined;
    const file = await this.#at(isFolder ? 'open folder' : 'open', () => open(path, flags, mode));
    return new Proxy(file, {
      get: (target, name) => {
        if (name === 'sync') return () => this.#at(isFolder ? 'sync folder' : 'sync', () => target.sync());
        if (name === 'writeFile') {
          return (text: string) =>
            this.#at(
              'write',
              () => target.writeFile(text),
              () => target.writeFile(text.slice(0, 7)),
            );
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    }) as FileHandle;
  };

  async #at<T>(step: Step, act: () => Promise<T>, half: () => Promise<unknown> = async () => {}): Promise<T> {
    if (this.fault?.step !== step) return act();
    this.failed++;
    await half();
    throw failure(this.fault.code);
  }
}
