import type { DockerClient } from '../docker/client.ts';
import { execIn, hasImage, runOnce } from '../docker/exec.ts';
import {
  CAPABILITIES,
  environmentList,
  HOST_PROCFS,
  hostConfig,
  ROLE_LABEL,
} from '../docker/heddle-container.ts';
import type { Io, RunCommand } from '../runtime/io.ts';
import { VERSION } from '../version.ts';

/** Passes a command to the daemon in the same container. The Dockerfile sets this path. */
const RUN_IN_DAEMON = ['node', '/app/dist/here.js'] as const;

/** Runs a command inside the heddle container of a host: only in the daemon there. */
export const runInContainer = (
  docker: DockerClient,
  container: string,
  argv: readonly string[],
  io: Io,
): Promise<number> => execIn(docker, container, [...RUN_IN_DAEMON, ...argv], io);

/** The caller's settings for a helper container, which has none of its own. */
export interface CallerSettings {
  /** They stand before the command: `--mtu`, `1400`. */
  readonly flags: readonly string[];
  /** `WEAVE_MTU`, `HEDDLE_BRIDGE`, … */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Runs one command in a short-lived container of heddle's image. The container has what the `weave` script gave its
 * own (the host's network, the engine's socket, /proc), and the daemon's folders.
 * @returns undefined when the host does not have the image
 */
export async function runInHelper(
  docker: DockerClient,
  image: string | undefined,
  { flags, env }: CallerSettings,
): Promise<RunCommand | undefined> {
  const name = image ?? `heddle:${VERSION}`;
  if (!(await hasImage(docker, name))) return undefined;
  return (argv, io) =>
    runOnce(
      docker,
      {
        Image: name,
        Cmd: ['--local', ...flags, ...argv],
        Env: environmentList({ ...env, HEDDLE_PROCFS: HOST_PROCFS }),
        Labels: { [ROLE_LABEL]: 'helper' },
        // A helper runs one command and answers no clients, so it binds no port.
        HostConfig: hostConfig(CAPABILITIES.filter((capability) => capability !== 'NET_BIND_SERVICE')),
      },
      io,
    );
}
