import type { Settings } from '../config/schema.ts';
import type { DockerClient } from '../docker/client.ts';
import { DockerEngine } from '../docker/engine.ts';
import { HeddleError } from '../errors.ts';
import type { RunCommand } from '../runtime/io.ts';
import { daemonAt, runInDaemon } from './client.ts';
import type { EngineAnswer } from './protocol.ts';
import { type CallerSettings, runInContainer, runInHelper } from './remote.ts';

type ReachSettings = Pick<Settings, 'socket' | 'containerName' | 'image'>;

/** What answers on this host's socket; `problem` where something may be there that cannot be asked. */
interface LocalDaemon {
  readonly daemon?: EngineAnswer | undefined;
  readonly problem?: HeddleError;
}

/**
 * Finds the place on the host that DOCKER_HOST names: this host's daemon, when it serves that very engine; else the
 * heddle container there; else a helper container of the same image. A daemon here that cannot be asked, because its
 * socket is root's or because it hangs, stands in nobody's way who can use Docker.
 * @param caller for a helper; a daemon has settings of its own
 * @throws HeddleError `unreachable` when the engine does not answer, `not-found` when nothing there can do it
 */
export async function reachHost(
  settings: ReachSettings,
  client: DockerClient,
  caller: CallerSettings,
): Promise<RunCommand> {
  const docker = new DockerEngine(client);
  const inDaemon: RunCommand = (argv, io) => runInDaemon(settings.socket, argv, io);
  const { daemon, problem } = await localDaemon(settings.socket);
  // The same socket of this host is the same engine, and need not be asked: it may be down, and its client is slow
  // to load.
  const isOwn = docker.address.startsWith('unix:');
  if (isOwn && daemon?.address === docker.address) return inDaemon;
  try {
    if (daemon !== undefined && daemon.engine === (await docker.info()).id) return inDaemon;
    const container = await docker.inspect(settings.containerName);
    if (container?.running) return (argv, io) => runInContainer(client, container.id, argv, io);
    // What a helper gives beside a daemon of the same engine, that one would know nothing of.
    const helper = isOwn && problem ? undefined : await runInHelper(client, settings.image, caller);
    if (helper) return helper;
  } catch (error) {
    throw isOwn ? (problem ?? error) : error;
  }
  if (isOwn && problem) throw problem;
  const other = daemon ? `the daemon behind ${settings.socket} serves another engine; ` : '';
  throw new HeddleError(
    'not-found',
    `no heddle serves the Docker engine ${docker.address}: ${other}start one there with heddle launch (--load ` +
      "brings this host's image), or heddle daemon on the host itself; with --local before the word it is done in " +
      'this process, as root',
  );
}

async function localDaemon(socket: string): Promise<LocalDaemon> {
  try {
    return { daemon: await daemonAt(socket) };
  } catch (error) {
    if (error instanceof HeddleError) return { problem: error };
    throw error;
  }
}
