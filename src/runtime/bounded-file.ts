import { closeSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';

const CHUNK = 65_536;
/** One for all who read in place: they are read a few times for each container, and are mostly a hundred bytes long. */
const place = Buffer.alloc(CHUNK);

/** Of a file that a container, or somebody else, can make as long as they like: at most so many bytes of it. */
export async function readAtMost(path: string, most: number): Promise<string> {
  await using file = await open(path, 'r');
  const chunks: Buffer[] = [];
  for (let left = most; left > 0; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(left, CHUNK)), 0);
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    left -= bytesRead;
  }
  return Buffer.concat(chunks).toString('latin1');
}

/** The same in place, for what the kernel makes from memory sooner than a thread of the pool would take it up. */
export function readAtMostSync(path: string, most: number): string {
  const file = openSync(path, 'r');
  try {
    let text = '';
    for (let left = most; left > 0; ) {
      const length = readSync(file, place, 0, Math.min(left, CHUNK), null);
      if (length === 0) break;
      text += place.toString('latin1', 0, length);
      left -= length;
    }
    return text;
  } finally {
    closeSync(file);
  }
}
