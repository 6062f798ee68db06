import { existsSync } from 'node:fs';
import * as v from 'valibot';
import type { Settings } from '../../config/schema.ts';
import type { EngineAddress } from '../../docker/engine-address.ts';
import { collect, type Io } from '../../runtime/io.ts';
import { VERSION } from '../../version.ts';
import { printResult } from '../syntax/format.ts';

export interface VersionNeeds {
  /** Undefined if the settings are invalid. */
  readonly settings: Pick<Settings, 'socket' | 'containerName'> | undefined;
  /** The engine that DOCKER_HOST names, if it is on another host. */
  readonly remote: EngineAddress | undefined;
  readonly io: Io;
}

interface Daemon {
  readonly version: string;
  readonly pid?: number | undefined;
}

/** Bounds the wait for an unreachable host. */
const REMOTE_MS = 5_000;

/** Prints this program's version, and the version of the daemon on the host that DOCKER_HOST names, if one answers. */
export async function version(
  options: { readonly format?: unknown },
  { settings, remote, io }: VersionNeeds,
): Promise<number> {
  // A daemon that denies access or does not answer counts as none.
  const daemon = settings && (await daemonOf(settings, remote).catch(() => undefined));
  const value = {
    version: VERSION,
    node: process.versions.node,
    daemon: daemon ? { version: daemon.version, pid: daemon.pid } : null,
  };
  printResult(io, options, `heddle ${VERSION}\n${daemon ? daemonLine(daemon) : ''}`, value);
  return 0;
}

async function daemonOf(
  { socket, containerName }: Pick<Settings, 'socket' | 'containerName'>,
  remote: EngineAddress | undefined,
): Promise<Daemon | undefined> {
  if (remote === undefined) {
    // Without a socket, HTTP is not loaded: that takes as long as all the rest.
    if (!existsSync(socket)) return undefined;
    const { daemonAt } = await import('../../control/client.ts');
    return await daemonAt(socket);
  }
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), REMOTE_MS);
  });
  return await Promise.race([daemonThere(remote, containerName), late]).finally(() => clearTimeout(timer));
}

const Status = v.object({ version: v.string(), daemon: v.object({ pid: v.number() }) });

/** The daemon in heddle's container on another host. */
async function daemonThere(remote: EngineAddress, name: string): Promise<Daemon | undefined> {
  const { DockerClient } = await import('../../docker/client.ts');
  const { DockerEngine } = await import('../../docker/engine.ts');
  const { runInContainer } = await import('../../control/remote.ts');
  const client = new DockerClient(remote);
  const container = await new DockerEngine(client).inspect(name);
  if (!container?.running) return undefined;
  const stdout = collect();
  const status = await runInContainer(client, container.id, ['status', '--format', 'json'], {
    stdout,
    stderr: collect(),
  });
  if (status !== 0) return undefined;
  const { version: there, daemon } = v.parse(Status, JSON.parse(stdout.text));
  return { version: there, pid: daemon.pid };
}

const daemonLine = ({ version: there }: Daemon): string =>
  `daemon ${there}${there === VERSION ? '' : ', another version than this program'}\n`;
