import { closeSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';

const CHUNK = 65_536;
/** Shared by all synchronous reads: there are a few for each container, mostly of about a hundred bytes. */
const sharedBuffer = Buffer.alloc(CHUNK);

/** Reads at most `limit` bytes of a file whose length a container or another program controls. */
export async function readAtMost(path: string, limit: number): Promise<string> {
  await using file = await open(path, 'r');
  const chunks: Buffer[] = [];
  for (let left = limit; left > 0; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(left, CHUNK)), 0);
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    left -= bytesRead;
  }
  return Buffer.concat(chunks).toString('latin1');
}

/** The same synchronously, for files in /proc: the kernel produces them faster than a pool thread would start. */
export function readAtMostSync(path: string, limit: number): string {
  const file = openSync(path, 'r');
  try {
    let text = '';
    for (let left = limit; left > 0; ) {
      const length = readSync(file, sharedBuffer, 0, Math.min(left, CHUNK), null);
      if (length === 0) break;
      text += sharedBuffer.toString('latin1', 0, length);
      left -= length;
    }
    return text;
  } finally {
    closeSync(file);
  }
}
