import type { Settings } from '../config/schema.ts';
import type { DockerClient } from '../docker/client.ts';
import { DockerEngine } from '../docker/engine.ts';
import { hasImage } from '../docker/run.ts';
import type { Io } from '../io.ts';
import { VERSION } from '../version.ts';

/**
 * The `weave` script fetched its images here. Heddle fetches nothing unasked, and says what is there: the engine, the
 * image for hosts that have nothing else, and the container that runs of it.
 */
export async function setup(settings: Settings, client: DockerClient, io: Io): Promise<number> {
  const docker = new DockerEngine(client);
  const { name, version } = await docker.info();
  io.stdout.write(`engine: Docker ${version} on ${name}, at ${docker.address}\n`);
  const image = settings.image ?? `heddle:${VERSION}`;
  io.stdout.write(
    (await hasImage(client, image))
      ? `image: ${image} is there\n`
      : `image: ${image} is not there; needed only to run heddle as a container, built by npm run image\n`,
  );
  const container = await docker.inspect(settings.containerName);
  const state = container ? (container.running ? 'runs' : 'is stopped') : 'is not there';
  io.stdout.write(`container: ${settings.containerName} ${state}\n`);
  return 0;
}
