import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { writeBusyboxTar } from './busybox.ts';
import { removeCgroups } from './cgroups.ts';
import { OLD, prepareEngine, type WorldEngine } from './engines.ts';

const NAMESPACES = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
/** Runs first inside the new namespaces. */
const PREPARE = fileURLToPath(new URL('./prepare.sh', import.meta.url));
const INSIDE = fileURLToPath(new URL('./inside.ts', import.meta.url));

export interface WorldOptions {
  readonly entered?: (pid: number) => void;
  readonly terminal?: boolean;
  readonly engine?: WorldEngine;
}

/**
 * Runs a command in a world of its own, with a Docker engine on the default socket and the image `busybox` in it.
 * The world dies with this process, even by kill -9. It has no network, so everything must be downloaded before.
 * Resolves to the command's exit status, once all remains of the world are removed.
 * @param options.entered called with the host's pid of the world's first process, which `nsenter` needs
 * @param options.engine default: the system's own Docker
 * @param options.terminal false for a world beside others: only one can have the terminal
 */
export async function runInWorld(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
  { entered = () => {}, terminal = true, engine = OLD }: WorldOptions = {},
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'heddle-world-'));
  makeMountedFolders(engine);
  try {
    mkdirSync(join(folder, 'tmp'), { mode: 0o1777 });
    writeBusyboxTar(join(folder, 'busybox.tar'));
    const unshare = ['unshare', ...NAMESPACES, 'sh', PREPARE];
    const inside = [process.execPath, INSIDE, ...command];
    const world = spawn('setpriv', ['--pdeathsig', 'KILL', ...unshare, ...inside], {
      stdio: terminal ? 'inherit' : ['ignore', 'pipe', 'pipe'],
      env: worldEnvironment(folder, { ...prepareEngine(folder, engine), ...env }),
    });
    world.stdout?.pipe(process.stdout, { end: false });
    world.stderr?.pipe(process.stderr, { end: false });
    const ended = statusOf(world);
    const pid = await firstProcess(world);
    if (pid !== undefined) entered(pid);
    return await ended;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await removeCgroups(basename(folder));
    removeMadeFolders();
  }
}

/** dockerd keeps a key in the first, heddle its state in the second; each world mounts its own over them. */
const MOUNTED_FOLDERS = ['/etc/docker', '/var/lib/heddle'];
/** podman's settings, which only a world with podman has. */
const PODMAN_FOLDER = '/etc/containers';
/** Running worlds of this process, and the folders that were created for them: a mount needs a folder. */
let worlds = 0;
let madeFolders: readonly string[] = [];

function makeMountedFolders({ program }: WorldEngine): void {
  worlds += 1;
  const folders = [...MOUNTED_FOLDERS, ...(program === 'podman' ? [PODMAN_FOLDER] : [])];
  const missing = folders.filter((path) => !existsSync(path));
  for (const path of missing) mkdirSync(path);
  madeFolders = [...madeFolders, ...missing];
}

function removeMadeFolders(): void {
  worlds -= 1;
  if (worlds > 0) return;
  for (const path of madeFolders) rmdirSync(path);
  madeFolders = [];
}

/**
 * The caller's environment, adapted to the world's own engine, with the folders of system programs on PATH. Temporary
 * files are in the world's folder, and are removed with it.
 */
function worldEnvironment(folder: string, extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { DOCKER_HOST, DOCKER_CONTEXT, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH, DOCKER_API_VERSION, ...env } =
    process.env;
  const PATH = `${join(folder, 'bin')}:${env.PATH}:/usr/local/sbin:/usr/sbin:/sbin`;
  // Hundreds of commands run in a world; without a cache each would compile the program again.
  const NODE_COMPILE_CACHE = join(folder, 'compiled');
  return { ...env, PATH, NODE_COMPILE_CACHE, TMPDIR: join(folder, 'tmp'), ...extra, HEDDLE_WORLD: folder };
}

/** Waits for the end, and forwards signals. On a terminal, tini is in the foreground and receives Ctrl-C itself. */
async function statusOf(world: ChildProcess): Promise<number> {
  const pass = (signal: NodeJS.Signals) => signalInside(world, signal);
  process.on('SIGTERM', pass).on('SIGHUP', pass).on('SIGINT', pass);
  try {
    return await new Promise((resolve, reject) => {
      world.once('error', reject);
      world.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
    });
  } finally {
    process.off('SIGTERM', pass).off('SIGHUP', pass).off('SIGINT', pass);
  }
}

/** unshare ignores signals while it waits, so the signal goes to its child, the world's pid 1. */
function signalInside(world: ChildProcess, signal: NodeJS.Signals): void {
  const pid = childOf(world);
  if (pid === undefined) world.kill('SIGKILL');
  else process.kill(pid, signal);
}

/** Waits until unshare has forked; undefined if it has ended instead. */
async function firstProcess(world: ChildProcess): Promise<number | undefined> {
  for (;;) {
    const pid = childOf(world);
    if (pid !== undefined || world.pid === undefined || world.exitCode !== null || world.signalCode !== null)
      return pid;
    await sleep(5);
  }
}

function childOf(world: ChildProcess): number | undefined {
  try {
    const children = readFileSync(`/proc/${world.pid}/task/${world.pid}/children`, 'utf8');
    return Number(children.split(' ')[0]) || undefined;
  } catch {
    return undefined; // it has ended
  }
}
