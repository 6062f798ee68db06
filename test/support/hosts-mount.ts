import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerProcess } from '../../src/network/container-namespace.ts';
import { containerId } from './snapshot.ts';

/** A process that sees a file at /etc/hosts as a container does: mounted from a folder that is called by its id. */
export interface HostsMount extends AsyncDisposable {
  readonly process: ContainerProcess;
  /** Of the file outside, of one character a byte. */
  text(): Promise<string>;
}

/** How Docker mounts it. */
export const BIND = 'mount --bind "$1" /etc/hosts';

/**
 * @param folder of all containers
 * @param script does what is done before the process is looked at, with the file's path in `$1`
 */
export async function mountHosts(
  folder: string,
  { text = '127.0.0.1\tlocalhost\n', script = BIND, id = containerId('c') } = {},
): Promise<HostsMount> {
  const path = join(folder, id, 'hosts');
  await mkdir(join(folder, id), { recursive: true });
  await writeFile(path, text, 'latin1');
  const child = spawn('unshare', ['--mount', 'sh', '-ec', `${script}; echo; exec sleep 600`, 'sh', path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return {
    process: { procfs: '/proc', pid: child.pid ?? 0, containerId: id },
    text: () => readFile(path, 'latin1'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
