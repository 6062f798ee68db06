import type { DockerClient } from '../docker/client.ts';
import { DockerEngine } from '../docker/engine.ts';
import { remove, rename, restartPolicy, setRestartPolicy } from './calls.ts';
import { RESTART_POLICY } from './daemon-container.ts';

/** The names of the two containers while one replaces the other. */
export const newName = (name: string): string => `${name}-new`;
export const oldName = (name: string): string => `${name}-old`;

/** Completes or undoes a `--replace` that was interrupted: the container that runs becomes the daemon's container. */
export async function finishInterruptedReplace(client: DockerClient, name: string): Promise<void> {
  const engine = new DockerEngine(client);
  const [current, successor, predecessor] = await Promise.all([
    engine.inspect(name),
    engine.inspect(newName(name)),
    engine.inspect(oldName(name)),
  ]);
  if (predecessor) await remove(client, predecessor.id);
  if (!successor) return;
  if (!successor.running || current?.running) {
    await remove(client, successor.id);
    // The interrupted replacement has switched off its restarts.
    if (current && (await restartPolicy(client, current.id)).Name === 'no') {
      await setRestartPolicy(client, current.id, RESTART_POLICY);
    }
    return;
  }
  if (current) await remove(client, current.id);
  await rename(client, successor.id, name);
}
