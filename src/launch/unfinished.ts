import type { DockerClient } from '../docker/client.ts';
import { DockerEngine } from '../docker/engine.ts';
import { remove, rename, restartAs, restartPolicy } from './calls.ts';
import { RESTARTED } from './daemon-container.ts';

/** What the two containers are called while one takes the place of the other. */
export const next = (name: string): string => `${name}-new`;
export const last = (name: string): string => `${name}-old`;

/** Ends what a `--replace` that was cut short has left: the one of the two that runs is the daemon's container. */
export async function finishReplacing(client: DockerClient, name: string): Promise<void> {
  const engine = new DockerEngine(client);
  const [current, coming, going] = await Promise.all([
    engine.inspect(name),
    engine.inspect(next(name)),
    engine.inspect(last(name)),
  ]);
  if (going) await remove(client, going.id);
  if (!coming) return;
  if (!coming.running || current?.running) {
    await remove(client, coming.id);
    // It was to end by itself, and to stay so.
    if (current && (await restartPolicy(client, current.id)).Name === 'no') {
      await restartAs(client, current.id, RESTARTED);
    }
    return;
  }
  if (current) await remove(client, current.id);
  await rename(client, coming.id, name);
}
