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

/** Has the daemon that runs in the container do a word; its place in the image is the Dockerfile's. */
const RUN_IN_DAEMON = ['node', '/app/dist/here.js'] as const;

/** Runs a word inside the heddle container of a host: in the daemon there, and nowhere else. */
export const runInContainer = (
  docker: DockerClient,
  container: string,
  argv: readonly string[],
  io: Io,
): Promise<number> => execIn(docker, container, [...RUN_IN_DAEMON, ...argv], io);

/** How the caller wants words done: a container that runs for one word has no settings of its own. */
export interface CallerSettings {
  /** Before the word: `--mtu`, `1400`. */
  readonly flags: readonly string[];
  /** `WEAVE_MTU`, `HEDDLE_BRIDGE`, … */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * A short-lived container of heddle's image that does one word, with what the `weave` script gave its own: the
 * host's network, the engine's socket, /proc; and the daemon's folders. Undefined when the host does not have the image.
 */
export async function runInHelper(
  docker: DockerClient,
  image: string | undefined,
  { flags, env }: CallerSettings,
): Promise<RunCommand | undefined> {
  const wanted = image ?? `heddle:${VERSION}`;
  if (!(await hasImage(docker, wanted))) return undefined;
  return (argv, io) =>
    runOnce(
      docker,
      {
        Image: wanted,
        Cmd: ['--local', ...flags, ...argv],
        Env: environmentList({ ...env, HEDDLE_PROCFS: HOST_PROCFS }),
        Labels: { [ROLE_LABEL]: 'helper' },
        // It runs one command, and answers nobody: it binds no port.
        HostConfig: hostConfig(CAPABILITIES.filter((capability) => capability !== 'NET_BIND_SERVICE')),
      },
      io,
    );
}
