import { execFileSync, spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ENGINE_VARIABLE } from './engines.ts';

/** The socket of the world's engine. Any process of the world may start, stop or kill the engine. */
const SOCKET = '/run/docker.sock';
const PIDFILE = '/run/dockerd.pid';
/** After kill -9 dockerd needs 11 s on a quiet machine before it answers again. */
const READY_TIMEOUT = 60_000;
const STOP_TIMEOUT = 30_000;

/** The folder that holds the world's data. @throws Error outside a world */
export function worldFolder(): string {
  const folder = process.env.HEDDLE_WORLD;
  if (folder !== undefined && existsSync(folder)) return folder;
  throw new Error('this needs a private Docker engine: run it with npm test');
}

/** Which engine this world has. */
export const worldEngine = (): string => process.env[ENGINE_VARIABLE] ?? 'old';

/** Starts the engine, with further flags if given (`--bridge=weave`), and waits until it answers. */
export async function startEngine(flags: readonly string[] = []): Promise<void> {
  const folder = worldFolder();
  const log = openSync(join(folder, 'dockerd.log'), 'a');
  const [program, args] = worldEngine() === 'podman' ? podmanService() : dockerDaemon(folder);
  const dockerd = spawn(program, [...args, ...flags], {
    detached: true, // Ctrl-C must not stop the engine while other processes use it
    stdio: ['ignore', log, log],
  });
  dockerd.unref();
  if (worldEngine() === 'podman') writeFileSync(PIDFILE, `${dockerd.pid}`);
  const deadline = Date.now() + READY_TIMEOUT;
  while (!(await engineAnswers())) {
    if (dockerd.exitCode !== null || Date.now() > deadline)
      throw new Error(`${program} is not up:\n${logTail(folder)}`);
    await sleep(20);
  }
}

function dockerDaemon(folder: string): [program: string, args: string[]] {
  const paths = ['--data-root', join(folder, 'docker'), '--exec-root', '/run/dockerd', '--pidfile', PIDFILE];
  const cgroups = ['--cgroup-parent', `/${basename(folder)}`, '--exec-opt', 'native.cgroupdriver=cgroupfs'];
  return ['dockerd', [...paths, '-H', `unix://${SOCKET}`, ...cgroups]];
}

/** Its folders are in the settings that podman.ts writes. */
function podmanService(): [program: string, args: string[]] {
  return ['podman', ['system', 'service', '--time=0', `unix://${SOCKET}`]];
}

/** Stops dockerd cleanly and waits for its end; containers end with it. */
export async function stopEngine(): Promise<void> {
  await endEngine('SIGTERM');
}

/** Ends dockerd with kill -9: its containers keep running. */
export async function killEngine(): Promise<void> {
  await endEngine('SIGKILL');
}

async function endEngine(signal: NodeJS.Signals): Promise<void> {
  if (!existsSync(PIDFILE)) return;
  const pid = Number(readFileSync(PIDFILE, 'utf8'));
  process.kill(pid, signal);
  const deadline = Date.now() + STOP_TIMEOUT;
  while (isAlive(pid)) {
    if (Date.now() > deadline)
      throw new Error(`dockerd (pid ${pid}) has not ended ${STOP_TIMEOUT} ms after ${signal}`);
    await sleep(20);
  }
  // dockerd's containerd ends a moment later; a new dockerd gives up if it finds the old containerd.
  while (signal === 'SIGTERM' && isRunning('containerd')) {
    if (Date.now() > deadline) throw new Error('containerd has not ended after dockerd');
    await sleep(20);
  }
}

/** Whether a process runs. A zombie, which its parent has not waited for yet, has an empty command line. */
function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`).length > 0;
  } catch {
    return false;
  }
}

function isRunning(program: string): boolean {
  try {
    execFileSync('busybox', ['pidof', program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function engineAnswers(): Promise<boolean> {
  return new Promise((resolve) => {
    const ping = request({ socketPath: SOCKET, path: '/_ping', timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.on('timeout', () => ping.destroy());
    ping.on('error', () => resolve(false));
    ping.end();
  });
}

function logTail(folder: string): string {
  return readFileSync(join(folder, 'dockerd.log'), 'utf8').split('\n').slice(-15).join('\n');
}
