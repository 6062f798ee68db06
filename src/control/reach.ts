import type { Settings } from '../config/schema.ts';
import type { DockerClient } from '../docker/client.ts';
import { DockerEngine } from '../docker/engine.ts';
import { HeddleError } from '../errors.ts';
import type { RunWord } from '../io.ts';
import { daemonAt, wordAt } from './client.ts';
import { execWord, helperWord } from './remote.ts';

/**
 * Finds the place on the host that DOCKER_HOST names: this host's daemon, when it serves that very engine; else the
 * heddle container there; else a helper container of the same image.
 * @throws HeddleError `unreachable` when the engine does not answer, `not-found` when nothing there can do it
 */
export async function reachHost(
  settings: Pick<Settings, 'socket' | 'containerName' | 'image'>,
  client: DockerClient,
): Promise<RunWord> {
  const docker = new DockerEngine(client);
  const daemon = await daemonAt(settings.socket);
  const inDaemon: RunWord = (argv, io) => wordAt(settings.socket, argv, io);
  // The same socket of this host is the same engine, and need not be asked: it may be down, and its client is slow
  // to load.
  if (daemon?.address === docker.address && docker.address.startsWith('unix:')) return inDaemon;
  if (daemon !== undefined && daemon.engine === (await docker.info()).id) return inDaemon;
  const container = await docker.inspect(settings.containerName);
  if (container?.running) return (argv, io) => execWord(client, container.id, argv, io);
  const helper = await helperWord(client, settings.image);
  if (helper) return helper;
  const other = daemon ? `the daemon behind ${settings.socket} serves another engine; ` : '';
  throw new HeddleError(
    'not-found',
    `no heddle serves the Docker engine ${docker.address}: ${other}start one there with heddle daemon, ` +
      'or give --local before the word to do it in this process, as root',
  );
}
