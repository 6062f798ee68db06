import type { DockerClient } from '../docker/client.ts';
import { DockerEngine } from '../docker/engine.ts';
import { HeddleError } from '../errors.ts';
import { create, remove, start, stop } from './calls.ts';
import type { LaunchOptions } from './daemon-container.ts';
import { finishInterruptedReplace } from './interrupted-replace.ts';
import { type ProvideImage, requireImage } from './load.ts';
import { waitUntilReady } from './ready.ts';

/**
 * Starts the daemon as a container, with the Docker API only.
 * @returns the container's id, once the daemon answers
 * @throws HeddleError `taken` when a daemon runs already, `not-found` when the host does not have the image, `failed`
 * with the daemon's last log lines when it does not start; the container is removed then
 */
export async function launch(
  client: DockerClient,
  options: LaunchOptions,
  provide: ProvideImage = requireImage,
): Promise<string> {
  await finishInterruptedReplace(client, options.name);
  const existing = await new DockerEngine(client).inspect(options.name);
  if (existing?.running) {
    throw new HeddleError(
      'taken',
      `heddle already runs as container '${options.name}'; launch --replace replaces it`,
    );
  }
  await provide(client, options.image);
  if (existing) await remove(client, existing.id);
  const id = await create(client, options.name, options);
  try {
    await start(client, id);
    await waitUntilReady(client, id);
    return id;
  } catch (error) {
    await remove(client, id);
    throw error;
  }
}

/** Stops the daemon's container; false when none runs. `--on-stop` decides whether its services stay registered. */
export async function stopDaemon(client: DockerClient, name: string): Promise<boolean> {
  const container = await new DockerEngine(client).inspect(name);
  if (!container || container.pid === 0) return false;
  await stop(client, container.id);
  return true;
}
