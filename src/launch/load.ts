import { Transform } from 'node:stream';
import type { DockerClient } from '../docker/client.ts';
import { hasImage } from '../docker/exec.ts';
import { HeddleError } from '../errors.ts';

/** Makes sure that an engine has an image, or throws the reason why it does not. */
export type ProvideImage = (client: DockerClient, image: string) => Promise<void>;

/** @throws HeddleError `not-found` with the image, and how to provide it */
export const requireImage: ProvideImage = async (client, image) => {
  if (await hasImage(client, image)) return;
  throw new HeddleError(
    'not-found',
    `the Docker engine ${client.address} has no image ${image}: build or pull it there, choose another one with ` +
      "--image or HEDDLE_IMAGE, or let launch --load copy this host's image",
  );
};

/** Docker answers only after it has received the whole image. */
const LOAD_MS = 15 * 60_000;

/**
 * Streams images from one engine to another, for a host that reaches no image registry.
 * @param progress called with the number of bytes sent so far
 * @throws HeddleError `not-found` when the first engine does not have the image either
 */
export const imagesFrom =
  (from: DockerClient, progress?: (bytes: number) => void): ProvideImage =>
  async (to, image) => {
    await from.call(`find the image ${image}`, (docker) => docker.getImage(image).inspect());
    const archive = await from.call(`read the image ${image}`, (docker) => docker.getImage(image).get());
    const sent = progress ? withProgress(archive, progress) : archive;
    const answer = await to.call(`load the image ${image}`, (docker) => docker.loadImage(sent), LOAD_MS);
    for await (const _ of answer as AsyncIterable<Buffer>);
  };

/** The progress of sending an image, also above 2 GiB. */
export const loadingText = (image: string, bytes: number): string =>
  `loading ${image}: ${Math.floor(bytes / 2 ** 20)} MiB`;

/** Copies a stream and counts its bytes. An error of the source also destroys the copy. */
function withProgress(
  source: NodeJS.ReadableStream,
  progress: (bytes: number) => void,
): NodeJS.ReadableStream {
  let bytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      progress(bytes);
      done(null, chunk);
    },
  });
  source.once('error', (error) => counter.destroy(error));
  return source.pipe(counter);
}
