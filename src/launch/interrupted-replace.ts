import type { DockerClient } from '../docker/client.ts';
import { DockerEngine } from '../docker/engine.ts';
import { remove, rename, restartPolicy, setRestartPolicy } from './calls.ts';
import { RESTART_POLICY } from './daemon-container.ts';

/** What the two containers are called while one takes the place of the other. */
export const newName = (name: string): string => `${name}-new`;
export const oldName = (name: string): string => `${name}-old`;

/** Ends what a `--replace` that was cut short has left: the one of the two that runs is the daemon's container. */
export async function finishInterruptedReplace(client: DockerClient, name: string): Promise<void> {
  const engine = new DockerEngine(client);
  const [current, coming, going] = await Promise.all([
    engine.inspect(name),
    engine.inspect(newName(name)),
    engine.inspect(oldName(name)),
  ]);
  if (going) await remove(client, going.id);
  if (!coming) return;
  if (!coming.running || current?.running) {
    await remove(client, coming.id);
    // It was to end by itself, and to stay so.
    if (current && (await restartPolicy(client, current.id)).Name === 'no') {
      await setRestartPolicy(client, current.id, RESTART_POLICY);
    }
    return;
  }
  if (current) await remove(client, current.id);
  await rename(client, coming.id, name);
}
