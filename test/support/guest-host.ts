import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { resolverPackages } from '../../scripts/setup/resolver-packages.mjs';
import { worldFolder } from '../../scripts/world/engine.ts';
import { HEDDLE } from './heddle.ts';
import { type Outcome, runProgram, succeed } from './program.ts';

/**
 * The files of this machine under a layer that takes all changes and ends with its process; devices, processes and
 * the network are those of the world. $1 is a folder to work in.
 */
const PREPARE = `
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/changes" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/changes,workdir=$1/work" "$1/root"
for each in proc dev sys; do mount --rbind "/$each" "$1/root/$each"; done
mount -t tmpfs tmpfs "$1/root/run"
touch "$1/root/run/docker.sock"
mount --bind /run/docker.sock "$1/root/run/docker.sock"
echo ready
exec chroot "$1/root" sleep 600`;

/** A host whose files a test may change as it likes. */
export class GuestHost implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(process: ChildProcess) {
    this.#process = process;
    this.#ended = once(process, 'exit');
  }

  static async start(): Promise<GuestHost> {
    const folder = await succeed('mktemp', ['-d', '-p', worldFolder()]);
    const child = spawn('unshare', ['--mount', 'sh', '-c', PREPARE, 'sh', folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const guest = new GuestHost(child);
    for await (const line of createInterface({ input: child.stdout })) if (line === 'ready') return guest;
    throw new Error('the guest host has not come up');
  }

  /** Its root, as it is seen from outside. */
  get root(): string {
    return `/proc/${this.#process.pid}/root`;
  }

  /** Unpacks a package of Debian; its scripts are not run. */
  async unpack(name: string): Promise<void> {
    for (const file of resolverPackages(name)) {
      await this.sh(`dpkg-deb --fsys-tarfile '${file}' | tar -x -C / --keep-directory-symlink`);
    }
  }

  run(program: string, ...args: readonly string[]): Promise<Outcome> {
    const enter = ['--target', String(this.#process.pid), '--mount', '--root', '--wd'];
    return runProgram('nsenter', [...enter, program, ...args]);
  }

  /** Runs lines of shell, which must succeed, and returns what they print. */
  async sh(script: string): Promise<string> {
    const { status, stdout, stderr } = await this.run('sh', '-ec', script);
    if (status !== 0) throw new Error(`${script} ended with status ${status}: ${stderr}`);
    return stdout.trimEnd();
  }

  heddle(...args: readonly string[]): Promise<Outcome> {
    return this.run(HEDDLE, ...args);
  }

  /** What a bare `dig NAME` prints here, its addresses alone. */
  dig(name: string): Promise<string> {
    return this.sh(`dig +short +tries=1 +time=3 ${name}`);
  }

  read(path: string): string {
    return readFileSync(`${this.root}${path}`, 'latin1');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}
