import { randomBytes } from 'node:crypto';
import { killEngine, startEngine, stopEngine, worldFolder } from '../../scripts/world/engine.ts';
import { succeed } from './program.ts';

export { killEngine, startEngine, stopEngine };

/** Runs the docker client against the world's engine; returns its output. @throws Error with its words, or outside a world */
export function docker(...args: readonly string[]): Promise<string> {
  worldFolder();
  return succeed('docker', args);
}

/** A running container of one test; removed when its scope ends. */
export class Container {
  readonly id: string;
  readonly name: string;

  constructor(id: string, name: string) {
    this.id = id;
    this.name = name;
  }

  /** Its process as the world sees it; 0 when it is not running. */
  async pid(): Promise<number> {
    return Number(await docker('inspect', '--format', '{{.State.Pid}}', this.id));
  }

  /** Its address on Docker's own network. */
  address(): Promise<string> {
    return docker('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', this.id);
  }

  /** Runs a command inside it. @throws Error when the command fails */
  exec(...command: readonly string[]): Promise<string> {
    return docker('exec', this.id, ...command);
  }

  async kill(): Promise<void> {
    await docker('kill', this.id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await docker('rm', '--force', '--volumes', this.id);
  }
}

/**
 * `docker run -d FLAGS busybox COMMAND`; without a command it sleeps. The name is a new one, unless the flags give it.
 */
export async function runContainer(
  flags: readonly string[] = [],
  command: readonly string[] = ['sleep', '3600'],
): Promise<Container> {
  const given = flags.indexOf('--name');
  const name = given >= 0 ? (flags[given + 1] as string) : `t-${randomBytes(4).toString('hex')}`;
  const naming = given >= 0 ? [] : ['--name', name];
  // A sleeping pid 1 ignores TERM: without --init every stop would take ten seconds.
  const id = await docker('run', '-d', '--init', ...naming, ...flags, 'busybox', ...command);
  return new Container(id, name);
}

/** All containers of the world's engine, running or not, by id. */
export async function containerIds(): Promise<string[]> {
  const ids = await docker('ps', '--all', '--quiet', '--no-trunc');
  return ids === '' ? [] : ids.split('\n');
}

/** Removes every container of the world's engine. */
export async function removeContainers(): Promise<void> {
  const ids = await containerIds();
  if (ids.length > 0) await docker('rm', '--force', '--volumes', ...ids);
}

/** Stops dockerd in order and starts it again, with further flags if given; containers end with it. */
export async function restartEngine(flags: readonly string[] = []): Promise<void> {
  await stopEngine();
  await startEngine(flags);
}
