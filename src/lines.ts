import { StringDecoder } from 'node:string_decoder';

/**
 * The lines of a byte stream, without their ends. Throws when the stream breaks, which readline's iterator does not;
 * a last line without an end is not given: it was cut.
 */
export async function* lines(stream: AsyncIterable<Buffer | string>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const parts = (rest + (typeof chunk === 'string' ? chunk : decoder.write(chunk))).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
}
