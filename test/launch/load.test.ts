import { PassThrough, Readable } from 'node:stream';
import { expect, it } from 'vitest';
import type { DockerClient } from '../../src/docker/client.ts';
import { imagesFrom, loadingText } from '../../src/launch/load.ts';

/** Two engines: one has an archive, the other receives it. */
function engines(archive: Readable) {
  const received: Buffer[] = [];
  const image = { inspect: async () => ({}), get: async () => archive };
  const loadImage = async (sent: Readable) => {
    for await (const chunk of sent) received.push(chunk as Buffer);
    return Readable.from([]);
  };
  const to = { call: (_: string, ask: (client: object) => unknown) => ask({ loadImage }) };
  const from = { call: (_: string, ask: (client: object) => unknown) => ask({ getImage: () => image }) };
  return { to: to as unknown as DockerClient, from: from as unknown as DockerClient, received };
}

const CHUNKS = ['one', 'two', 'three'].map((text) => Buffer.from(text));

it.each([[undefined], [[3, 6, 11]]])('every byte of an image is sent, with progress: %j', async (counts) => {
  const { to, from, received } = engines(Readable.from(CHUNKS));
  const seen: number[] = [];
  await imagesFrom(from, counts && ((bytes) => seen.push(bytes)))(to, 'heddle');
  expect(Buffer.concat(received).toString()).toBe('onetwothree');
  expect(seen).toEqual(counts ?? []);
});

it('an error of the source is a failure', async () => {
  const archive = new PassThrough();
  const { to, from } = engines(archive);
  const loading = imagesFrom(from, () => {})(to, 'heddle');
  archive.write('one');
  archive.destroy(new Error('connection reset'));
  await expect(loading).rejects.toThrow('connection reset');
});

it.each([
  [3_000_000, 'loading heddle: 2 MiB'],
  [3 * 2 ** 30, 'loading heddle: 3072 MiB'],
])('the progress of %i bytes', (bytes, text) => {
  expect(loadingText('heddle', bytes)).toBe(text);
});
