import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder that is removed, with all in it, when its scope ends. */
export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'heddle-'));
  // A write in the background may put a file there meanwhile.
  const options = { recursive: true, force: true, maxRetries: 5, retryDelay: 20 };
  return { path, [Symbol.asyncDispose]: () => rm(path, options) };
}
