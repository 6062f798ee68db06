import type { HostCommand } from '../commands/syntax/command.ts';
import type { LoadedSettings } from '../config/load.ts';
import type { CallerSettings } from '../control/remote.ts';
import type { DockerClient } from '../docker/client.ts';
import { HeddleError } from '../errors.ts';
import type { Io, RunCommand } from '../runtime/io.ts';
import { runOnHost } from './program.ts';

/**
 * Where a command runs, as far as the command line decides it:
 * - `here`: in this process, as root.
 * - `host`: on the host of the engine that DOCKER_HOST names. control/reach.ts tries its daemon, then heddle's
 *   container there (exec), then a helper container.
 * - `host-or-observe`: the same. If nothing on that host can run the command, this process shows what it can see.
 */
export type Where = 'here' | 'host' | 'host-or-observe';

/** The properties of a command that decide where it runs. */
export type WhereTraits = Pick<HostCommand, 'needsNoDocker' | 'observesWithoutDaemon'>;

/** The facts of a command line that decide where a command runs. */
export interface WhereFacts {
  /** `--local` was given, before or behind the command. */
  readonly local: boolean;
  /** The engine is reached by a socket of this host. */
  readonly ownEngine: boolean;
}

export function whereToRun(
  { needsNoDocker, observesWithoutDaemon }: WhereTraits,
  { local, ownEngine }: WhereFacts,
): Where {
  if (local || (needsNoDocker && ownEngine)) return 'here';
  return observesWithoutDaemon ? 'host-or-observe' : 'host';
}

export interface RunnerNeeds {
  readonly settings: LoadedSettings;
  readonly docker: DockerClient;
  /** The settings and variables that a helper container receives. */
  readonly caller: CallerSettings;
  /** Receives the note that no daemon is running. */
  readonly io: Pick<Io, 'stderr'>;
}

/**
 * Finds what runs a command in a place.
 * @throws HeddleError `not-permitted` for `here` without root; for `host` as `reachHost`
 */
export async function runnerAt(
  where: Where,
  { settings, docker, caller, io }: RunnerNeeds,
): Promise<RunCommand> {
  if (where === 'here') {
    const { localHost } = await import('../operations/local-host.ts');
    const host = await localHost(settings, docker);
    return (argv, own) => runOnHost(argv, host, own);
  }
  const { reachHost } = await import('../control/reach.ts');
  try {
    return await reachHost(settings, docker, caller);
  } catch (error) {
    if (where === 'host' || !(error instanceof HeddleError)) throw error;
    io.stderr.write(`heddle: no daemon running; showing what can be seen from here: ${error.message}\n`);
    const { observerOnly } = await import('../operations/local-host.ts');
    const host = await observerOnly(settings, docker);
    return (argv, own) => runOnHost(argv, host, own);
  }
}
