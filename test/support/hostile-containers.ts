import { join } from 'node:path';
import { ROOT } from '../../scripts/root.ts';
import { engineApi } from './engine-api.ts';
import { debianImage } from './image.ts';

/** The programs that hostile containers run, mounted read-only. */
const PROGRAMS = join(ROOT, 'test/support/hostile');

export interface Hostile {
  readonly name: string;
  readonly command: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** `80/tcp`. */
  readonly ports?: readonly string[];
  /** Docker's network mode; `bridge` unless given. */
  readonly network?: string;
}

/** Creates and starts a container with Docker's default capabilities, and returns its id. */
export async function startHostile(hostile: Hostile): Promise<string> {
  const { name, command, labels = {}, env = {}, ports = [], network = 'bridge' } = hostile;
  const { Id: id } = (await engineApi('POST', `/containers/create?name=${name}`, {
    Image: await debianImage(),
    Cmd: command,
    Env: Object.entries(env).map(([key, value]) => `${key}=${value}`),
    Labels: labels,
    ExposedPorts: Object.fromEntries(ports.map((port) => [port, {}])),
    HostConfig: { NetworkMode: network, Init: true, Binds: [`${PROGRAMS}:/hostile:ro`] },
    StopTimeout: 1,
  })) as { readonly Id: string };
  await engineApi('POST', `/containers/${id}/start`);
  return id;
}
