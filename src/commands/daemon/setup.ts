import type { Settings } from '../../config/schema.ts';
import type { DockerClient } from '../../docker/client.ts';
import { DockerEngine } from '../../docker/engine.ts';
import { hasImage } from '../../docker/exec.ts';
import type { Io } from '../../runtime/io.ts';
import { VERSION } from '../../version.ts';
import { answer } from '../syntax/format.ts';

/**
 * The `weave` script fetched its images here. Heddle fetches nothing unasked, and says what is there: the engine, the
 * image for hosts that have nothing else, and the container that runs of it.
 */
export async function setup(
  settings: Settings,
  options: { readonly format?: unknown },
  client: DockerClient,
  io: Io,
): Promise<number> {
  const docker = new DockerEngine(client);
  const { name: host, version } = await docker.info();
  const image = settings.image ?? `heddle:${VERSION}`;
  const isThere = await hasImage(client, image);
  const found = await docker.inspect(settings.containerName);
  const state = found ? (found.running ? 'runs' : 'is stopped') : 'is not there';
  const lines = [
    `engine: Docker ${version} on ${host}, at ${docker.address}`,
    isThere
      ? `image: ${image} is there`
      : `image: ${image} is not there; needed only to run heddle as a container, built by npm run image`,
    `container: ${settings.containerName} ${state}`,
  ];
  answer(io, options, lines.map((line) => `${line}\n`).join(''), {
    engine: { version, host, address: docker.address },
    image: { name: image, isThere },
    container: { name: settings.containerName, state },
  });
  return 0;
}
