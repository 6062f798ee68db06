import type { DockerClient } from '../docker/client.ts';

/** The answer begins when the whole image has gone over the wire. */
const LOAD_MS = 15 * 60_000;

/**
 * Streams an image from one engine to another: for a host that reaches no registry.
 * @throws HeddleError `not-found` when the first engine does not have the image either
 */
export async function loadImage(from: DockerClient, to: DockerClient, image: string): Promise<void> {
  await from.call(`find the image ${image}`, (docker) => docker.getImage(image).inspect());
  const archive = await from.call(`read the image ${image}`, (docker) => docker.getImage(image).get());
  const progress = await to.call(`load the image ${image}`, (docker) => docker.loadImage(archive), LOAD_MS);
  for await (const _ of progress as AsyncIterable<Buffer>);
}
