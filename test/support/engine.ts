import { randomBytes } from 'node:crypto';
import { killEngine, startEngine, stopEngine, worldFolder } from '../../scripts/world/engine.ts';
import { messageOf } from '../../src/errors.ts';
import { engineApi } from './engine-api.ts';
import { eventually } from './eventually.ts';
import { succeed } from './program.ts';

export { killEngine, startEngine, stopEngine };

/** Runs the docker client against the world's engine; returns its output. @throws Error with its message, or outside a world */
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
    return (await this.#inspect()).State.Pid;
  }

  /** Its address on Docker's own network. */
  async address(): Promise<string> {
    const { Networks } = (await this.#inspect()).NetworkSettings;
    return Object.values(Networks)
      .map(({ IPAddress }) => IPAddress)
      .join('');
  }

  /** Runs a command inside it. @throws Error when the command fails */
  exec(...command: readonly string[]): Promise<string> {
    return docker('exec', this.id, ...command);
  }

  async kill(): Promise<void> {
    await engineApi('POST', `/containers/${this.id}/kill`);
  }

  async #inspect(): Promise<Inspected> {
    return (await engineApi('GET', `/containers/${this.id}/json`)) as Inspected;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await remove(this.id);
  }
}

interface Inspected {
  readonly State: { readonly Pid: number };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> };
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

/** The addresses on a container's `ethwe`, as `ip` prints them. @throws Error where there is no such interface */
export const ethwe = (container: string): Promise<string> =>
  docker('exec', container, 'ip', '-o', 'address', 'show', 'ethwe');

/** All containers of the world's engine, running or not, by id. */
export async function containerIds(): Promise<string[]> {
  worldFolder();
  const all = (await engineApi('GET', '/containers/json?all=1')) as { readonly Id: string }[];
  return all.map(({ Id }) => Id);
}

/** Removes every container of the world's engine; resolves when there is none. */
export async function removeContainers(): Promise<void> {
  const removeAll = async () => {
    const ids = await containerIds();
    if (ids.length === 0) return;
    await Promise.all(ids.map(remove));
    throw new Error(`${ids.length} containers were there, and may not all have gone`);
  };
  await eventually(removeAll, { within: 30_000, every: 1 });
}

/** Kills it and removes it with its volumes, unless it is gone or being removed already. */
async function remove(id: string): Promise<void> {
  worldFolder();
  await engineApi('DELETE', `/containers/${id}?force=1&v=1`).catch((error: unknown) => {
    if (!/No such container|already in progress/.test(messageOf(error))) throw error;
  });
}

/** Stops dockerd in order and starts it again, with further flags if given; containers end with it. */
export async function restartEngine(flags: readonly string[] = []): Promise<void> {
  await stopEngine();
  await startEngine(flags);
}
