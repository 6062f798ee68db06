import type { DockerClient } from '../docker/client.ts';
import { DockerEngine } from '../docker/engine.ts';
import { argumentsOf, create, remove, rename, restartPolicy, setRestartPolicy, start } from './calls.ts';
import { type LaunchOptions, TAKE_OVER } from './daemon-container.ts';
import { finishInterruptedReplace, newName, oldName } from './interrupted-replace.ts';
import { launch } from './launch.ts';
import { type ProvideImage, requireImage } from './load.ts';
import { waitUntilReady } from './ready.ts';

/**
 * Replaces the daemon's container, with the arguments of the old one where none are given. The new daemon starts beside
 * the old one and takes over when it is ready, so DNS is unanswered only in between. If the new daemon does not start,
 * the old one continues.
 * @returns the new container's id
 */
export async function replace(
  client: DockerClient,
  requested: LaunchOptions,
  provide: ProvideImage = requireImage,
): Promise<string> {
  await finishInterruptedReplace(client, requested.name);
  const engine = new DockerEngine(client);
  const old = await engine.inspect(requested.name);
  const options =
    old && requested.args.length === 0 ? await withArgumentsOf(client, old.id, requested) : requested;
  if (!old?.running) return await launch(client, options, provide);
  await provide(client, options.image);
  const args = [TAKE_OVER, ...options.args];
  const id = await create(client, newName(options.name), { ...options, args });
  const policy = await restartPolicy(client, old.id);
  try {
    // The old daemon ends by itself when the new one takes over, and Docker must not restart it.
    await setRestartPolicy(client, old.id, { Name: 'no' });
    await start(client, id);
    await waitUntilReady(client, id, async () => (await engine.inspect(old.id))?.running !== true);
  } catch (error) {
    await remove(client, id);
    await setRestartPolicy(client, old.id, policy);
    if (!(await engine.inspect(old.id))?.running) await start(client, old.id);
    throw error;
  }
  await rename(client, old.id, oldName(options.name));
  await rename(client, id, options.name);
  await remove(client, old.id);
  return id;
}

/** An upgrade reuses the arguments and variables of the old daemon. Variables of the caller's environment win. */
async function withArgumentsOf(
  client: DockerClient,
  id: string,
  requested: LaunchOptions,
): Promise<LaunchOptions> {
  const { args, env } = await argumentsOf(client, id);
  return { ...requested, args, env: { ...env, ...requested.env } };
}
