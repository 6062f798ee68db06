import type { DockerClient } from '../docker/client.ts';
import { DockerEngine } from '../docker/engine.ts';
import { HeddleError } from '../errors.ts';
import { create, remove, start, stop } from './calls.ts';
import type { LaunchOptions } from './daemon-container.ts';
import { finishInterruptedReplace } from './interrupted-replace.ts';
import { type ProvideImage, requireImage } from './load.ts';
import { waitUntilReady } from './ready.ts';

/**
 * Starts the daemon as a container, by the Docker API alone.
 * @returns the container's id, when it answers
 * @throws HeddleError `taken` when one runs already, `not-found` for an image that the host does not have, `failed`
 * with the daemon's last words when it does not come up; nothing is left then
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
      `heddle runs already, as container '${options.name}'; launch --replace puts a new one in its place`,
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

/** Stops the daemon's container; false when none runs. What is registered stays, as `--on-stop` says. */
export async function stopDaemon(client: DockerClient, name: string): Promise<boolean> {
  const container = await new DockerEngine(client).inspect(name);
  if (!container || container.pid === 0) return false;
  await stop(client, container.id);
  return true;
}
