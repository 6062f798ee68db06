import type { DockerClient } from '../docker/client.ts';
import { DockerEngine } from '../docker/engine.ts';
import { argumentsOf, create, remove, rename, restartPolicy, setRestartPolicy, start } from './calls.ts';
import { type LaunchOptions, TAKE_OVER } from './daemon-container.ts';
import { finishInterruptedReplace, newName, oldName } from './interrupted-replace.ts';
import { launch } from './launch.ts';
import { type ProvideImage, requireImage } from './load.ts';
import { waitUntilReady } from './ready.ts';

/**
 * Puts a new container in the place of the present one, with the words of that one where none are given. The new daemon
 * starts beside the old one and takes over when it is ready to begin, so that names are asked in vain only in between;
 * the old one goes on when the new one does not come up.
 * @returns the new container's id
 */
export async function replace(
  client: DockerClient,
  given: LaunchOptions,
  provide: ProvideImage = requireImage,
): Promise<string> {
  await finishInterruptedReplace(client, given.name);
  const engine = new DockerEngine(client);
  const old = await engine.inspect(given.name);
  const options = old && given.args.length === 0 ? await withArgumentsOf(client, old.id, given) : given;
  if (!old?.running) return await launch(client, options, provide);
  await provide(client, options.image);
  const args = [TAKE_OVER, ...options.args];
  const id = await create(client, newName(options.name), { ...options, args });
  const policy = await restartPolicy(client, old.id);
  try {
    // It ends by itself when the new one takes over, and must stay so.
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

/** Somebody who upgrades need not know how the daemon was started; a variable that he sets counts, though. */
async function withArgumentsOf(
  client: DockerClient,
  id: string,
  given: LaunchOptions,
): Promise<LaunchOptions> {
  const { args, env } = await argumentsOf(client, id);
  return { ...given, args, env: { ...env, ...given.env } };
}
