import { StringDecoder } from 'node:string_decoder';
import { setTimeout as delay } from 'node:timers/promises';

export interface LineLimits {
  /** Characters of a line that are returned; the rest of a longer line is skipped. */
  readonly kept: number;
  /** Characters after which a line counts as endless, and the stream as broken. */
  readonly longest: number;
}

/** The stream sent a line longer than `longest`. */
export class EndlessLine extends Error {}

/** Skipped text is read with pauses, so that other work can run. */
const PACE = 1 << 20;
const PACE_MS = 10;

const UNLIMITED: LineLimits = { kept: Number.POSITIVE_INFINITY, longest: Number.POSITIVE_INFINITY };

/**
 * The lines of a byte stream, without line ends. Throws when the stream breaks; readline's iterator does not. A last
 * line without a line end is dropped: it was cut.
 */
export async function* lines(
  stream: AsyncIterable<Buffer | string>,
  { kept, longest }: LineLimits = UNLIMITED,
): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let pieces: string[] = [];
  let size = 0;
  let pausedAt = 0;
  const take = (piece: string): void => {
    if (size < kept && piece !== '') pieces.push(piece.slice(0, kept - size));
    size += piece.length;
  };
  for await (const chunk of stream) {
    const text = typeof chunk === 'string' ? chunk : decoder.write(chunk);
    let begin = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', begin)) {
      take(text.slice(begin, end));
      yield pieces.join('');
      pieces = [];
      size = 0;
      pausedAt = 0;
      begin = end + 1;
    }
    take(text.slice(begin));
    if (size > kept && size >= pausedAt + PACE) {
      pausedAt = size;
      await delay(PACE_MS);
    }
    if (size > longest) throw new EndlessLine(`it sent a line of more than ${longest} characters`);
  }
}
