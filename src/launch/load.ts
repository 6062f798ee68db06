import { Transform } from 'node:stream';
import type { DockerClient } from '../docker/client.ts';
import { hasImage } from '../docker/exec.ts';
import { HeddleError } from '../errors.ts';

/** Sees to it that an engine has an image, or says why it has not. */
export type ProvideImage = (client: DockerClient, image: string) => Promise<void>;

/** @throws HeddleError `not-found` naming the image, and how it can get there */
export const requireImage: ProvideImage = async (client, image) => {
  if (await hasImage(client, image)) return;
  throw new HeddleError(
    'not-found',
    `the Docker engine ${client.address} has no image ${image}: build or pull it there, name another one with ` +
      '--image or HEDDLE_IMAGE, or let launch --load bring the one of this host',
  );
};

/** The answer begins when the whole image has gone over the wire. */
const LOAD_MS = 15 * 60_000;

/**
 * Streams images from one engine to another: for a host that reaches no registry.
 * @param progress is told how many bytes have gone over the wire, as they go
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

/** What is shown while an image goes over the wire, be it larger than 2 GiB. */
export const loadingText = (image: string, bytes: number): string =>
  `loading ${image}: ${Math.floor(bytes / 2 ** 20)} MiB`;

/** The same bytes, and how many of them have passed. A break of the source breaks it, too. */
function withProgress(source: NodeJS.ReadableStream, passed: (bytes: number) => void): NodeJS.ReadableStream {
  let bytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      passed(bytes);
      done(null, chunk);
    },
  });
  source.once('error', (error) => counter.destroy(error));
  return source.pipe(counter);
}
