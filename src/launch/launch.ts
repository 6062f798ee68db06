import { setTimeout as delay } from 'node:timers/promises';
import { PROGRAM } from '../control/remote.ts';
import type { DockerClient } from '../docker/client.ts';
import { DockerEngine } from '../docker/engine.ts';
import { execIn, hasImage } from '../docker/run.ts';
import { HeddleError } from '../errors.ts';
import { collect } from '../io.ts';
import { daemonContainer, type LaunchOptions } from './container.ts';

/** A daemon that has not answered by then has a reason, and its log tells it. */
const READY_MS = 30_000;
const LOOK_MS = 200;
/** The daemon stops in well under a second; Docker kills it after this time. */
const STOP_S = 10;

/**
 * Starts the daemon as a container, by the Docker API alone.
 * @returns the container's id, when it answers
 * @throws HeddleError `taken` when one runs already, `not-found` for an image that the host does not have, `failed`
 * with the daemon's last words when it does not come up; nothing is left then
 */
export async function launch(client: DockerClient, options: LaunchOptions): Promise<string> {
  const existing = await new DockerEngine(client).inspect(options.name);
  if (existing?.running) {
    throw new HeddleError(
      'taken',
      `heddle runs already, as container '${options.name}'; launch --replace puts a new one in its place`,
    );
  }
  await requireImage(client, options.image);
  if (existing) await remove(client, existing.id);
  const id = await create(client, options.name, options);
  try {
    await start(client, id);
    await answering(client, id);
    return id;
  } catch (error) {
    await remove(client, id);
    throw error;
  }
}

/**
 * Puts a new container in the place of the running one. The new one is made before the old one stops, so that names
 * go unanswered only while the program starts; the old one comes back when the new one does not.
 * @returns the new container's id
 */
export async function replace(client: DockerClient, options: LaunchOptions): Promise<string> {
  const old = await new DockerEngine(client).inspect(options.name);
  if (!old?.running) return await launch(client, options);
  await requireImage(client, options.image);
  const id = await create(client, `${options.name}-new`, options);
  try {
    await stopContainer(client, old.id);
    await start(client, id);
    await answering(client, id);
  } catch (error) {
    await remove(client, id);
    await start(client, old.id);
    throw error;
  }
  await remove(client, old.id);
  await client.call(`rename the container ${id.slice(0, 12)}`, (docker) =>
    docker.getContainer(id).rename({ name: options.name }),
  );
  return id;
}

/** Stops the daemon's container; false when none runs. What is registered stays, as `--on-stop` says. */
export async function stopDaemon(client: DockerClient, name: string): Promise<boolean> {
  const container = await new DockerEngine(client).inspect(name);
  if (!container || container.pid === 0) return false;
  await stopContainer(client, container.id);
  return true;
}

async function requireImage(client: DockerClient, image: string): Promise<void> {
  if (await hasImage(client, image)) return;
  throw new HeddleError(
    'not-found',
    `the Docker engine ${client.address} has no image ${image}: build or pull it there, name another one with ` +
      '--image or HEDDLE_IMAGE, or let launch --load bring the one of this host',
  );
}

const create = (client: DockerClient, name: string, options: LaunchOptions): Promise<string> =>
  client.call(`create the container ${name}`, async (docker) => {
    const { id } = await docker.createContainer({ name, ...daemonContainer(options) });
    return id;
  });

const start = (client: DockerClient, id: string): Promise<unknown> =>
  client.call('start the container', (docker) => docker.getContainer(id).start());

const stopContainer = (client: DockerClient, id: string): Promise<unknown> =>
  client.call('stop the container', (docker) => docker.getContainer(id).stop({ t: STOP_S }));

const remove = (client: DockerClient, id: string): Promise<unknown> =>
  client.call('remove the container', (docker) => docker.getContainer(id).remove({ force: true, v: true }));

/** Resolves when the daemon in the container takes words. */
async function answering(client: DockerClient, id: string): Promise<void> {
  const engine = new DockerEngine(client);
  const deadline = Date.now() + READY_MS;
  const first = await engine.inspect(id);
  for (;;) {
    const container = await engine.inspect(id);
    // Docker has started it a second time: it ended by itself, and will again.
    const again = container?.startedAt !== first?.startedAt;
    if (container?.running && (await answers(client, id))) return;
    if (!container?.running || again || Date.now() > deadline) {
      throw new HeddleError(
        'failed',
        `the daemon in container ${id.slice(0, 12)} did not come up: ${await lastWords(client, id)}`,
      );
    }
    await delay(LOOK_MS);
  }
}

async function answers(client: DockerClient, id: string): Promise<boolean> {
  const silent = { stdout: collect(), stderr: collect() };
  return (await execIn(client, id, [...PROGRAM, 'status'], silent).catch(() => 1)) === 0;
}

async function lastWords(client: DockerClient, id: string): Promise<string> {
  const log = await client.call('read its log', (docker) =>
    docker.getContainer(id).logs({ stdout: true, stderr: true, tail: 3 }),
  );
  // Each line comes behind a header of eight bytes, which holds no printable character.
  const words = log
    .toString('utf8')
    .replace(/[^\x20-\x7e\n]+.?/g, '')
    .trim();
  return words || 'it said nothing';
}
