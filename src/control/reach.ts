import type { Settings } from '../config/schema.ts';
import type { DockerClient } from '../docker/client.ts';
import { DockerEngine } from '../docker/engine.ts';
import { HeddleError } from '../errors.ts';
import type { RunCommand } from '../runtime/io.ts';
import { daemonAt, runInDaemon } from './client.ts';
import type { EngineAnswer } from './protocol.ts';
import { type CallerSettings, runInContainer, runInHelper } from './remote.ts';

type ReachSettings = Pick<Settings, 'socket' | 'containerName' | 'image'>;

/** The daemon behind this host's socket; `problem` when there may be one that cannot be asked. */
interface LocalDaemon {
  readonly daemon?: EngineAnswer | undefined;
  readonly problem?: HeddleError;
}

/**
 * Decides where commands for the engine of DOCKER_HOST run. The first of these that exists:
 * 1. the daemon of this host, if it serves that engine;
 * 2. the heddle container on that engine;
 * 3. a helper container of the same image.
 *
 * If the local daemon cannot be asked (its socket is root's, or it hangs), steps 2 and 3 are tried. For the local
 * engine only step 2 is tried.
 * @param caller settings for a helper; a daemon has its own
 * @throws HeddleError `unreachable` when the engine does not answer, `not-found` when no place exists
 */
export async function reachHost(
  settings: ReachSettings,
  client: DockerClient,
  caller: CallerSettings,
): Promise<RunCommand> {
  const docker = new DockerEngine(client);
  const inDaemon: RunCommand = (argv, io) => runInDaemon(settings.socket, argv, io);
  const { daemon, problem } = await localDaemon(settings.socket);
  // The same socket path on this host is the same engine. Docker is not asked: it may be down, and its client is
  // slow to load.
  const isOwn = docker.address.startsWith('unix:');
  if (isOwn && daemon?.address === docker.address) return inDaemon;
  try {
    if (daemon !== undefined && daemon.engine === (await docker.info()).id) return inDaemon;
    const container = await docker.inspect(settings.containerName);
    if (container?.running) return (argv, io) => runInContainer(client, container.id, argv, io);
    // A helper beside a daemon of the same engine would assign addresses that the daemon does not know about.
    const helper = isOwn && problem ? undefined : await runInHelper(client, settings.image, caller);
    if (helper) return helper;
  } catch (error) {
    throw isOwn ? (problem ?? error) : error;
  }
  if (isOwn && problem) throw problem;
  const other = daemon ? `the daemon at ${settings.socket} serves another engine; ` : '';
  throw new HeddleError(
    'not-found',
    `no heddle serves the Docker engine ${docker.address}: ${other}start one there with heddle launch (--load ` +
      "copies this host's image), or heddle daemon on the host itself; with --local before the command, it runs in " +
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
