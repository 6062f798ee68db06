import type { Settings } from '../../config/schema.ts';
import type { DockerClient } from '../../docker/client.ts';
import { DockerEngine } from '../../docker/engine.ts';
import { hasImage } from '../../docker/exec.ts';
import type { Io } from '../../runtime/io.ts';
import { VERSION } from '../../version.ts';
import { printResult } from '../syntax/format.ts';

/**
 * The `weave` script pulled its images here. heddle pulls nothing unasked. It reports what exists: the engine, the
 * image for hosts without an installation, and the container of that image.
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
  printResult(io, options, lines.map((line) => `${line}\n`).join(''), {
    engine: { version, host, address: docker.address },
    image: { name: image, isThere },
    container: { name: settings.containerName, state },
  });
  return 0;
}
