import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename, join } from 'node:path';
import { worldFolder } from '../../scripts/world/engine.ts';
import { eventually } from './eventually.ts';
import { type TemporaryFolder, temporaryFolder } from './folder.ts';
import { childOf, runProgram, succeed } from './program.ts';

/** Where the other host is, seen from this one; the link between them is the only way. */
export const HERE = '10.77.0.1';
export const THERE = '10.77.0.2';
const LINK = 'heddle-remote';

/** What another host has of its own: processes, devices, /run, /var/lib. dockerd waits for the link to be there. */
const PREPARE = `
set -e
ip link set lo up
mount -t tmpfs tmpfs /var/lib
mount -t tmpfs tmpfs /etc/docker
mkdir /run/cgroup-of-world
mount --rbind /sys/fs/cgroup /run/cgroup-of-world
mount -t sysfs sysfs /sys
mount --move /run/cgroup-of-world /sys/fs/cgroup
rmdir /run/cgroup-of-world
mount -t tmpfs tmpfs /run
mkdir /run/netns /run/lock
tries=0
until ip address show dev eth0 2>/dev/null | grep -q ${THERE}; do
  tries=$((tries + 1)); [ "$tries" -lt 200 ]; sleep 0.05
done
exec "$@"`;

export interface RemoteEngineOptions {
  /** dockerd's own flags for TLS; without them it speaks plain TCP. */
  readonly tls?: readonly string[];
  /** Of the docker client, to reach it: DOCKER_TLS_VERIFY and DOCKER_CERT_PATH. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A Docker engine on a host of its own: other namespaces throughout, reached over TCP and by nothing else. */
export class RemoteEngine {
  readonly address: string;
  readonly ip = THERE;
  readonly #options: RemoteEngineOptions;
  readonly #folder: TemporaryFolder;
  #host: ChildProcess | undefined;
  #pid = 0;

  constructor(folder: TemporaryFolder, options: RemoteEngineOptions) {
    this.#folder = folder;
    this.#options = options;
    this.address = `tcp://${THERE}:${options.tls ? 2376 : 2375}`;
  }

  /** What the docker client, and heddle, need to reach it. */
  get env(): Readonly<Record<string, string>> {
    return { DOCKER_HOST: this.address, ...this.#options.env };
  }

  async start(): Promise<void> {
    const { tls = ['--tls=false'] } = this.#options;
    const dockerd = [
      ...['dockerd', '--data-root', join(this.#folder.path, 'docker'), '--exec-root', '/run/dockerd'],
      ...['--pidfile', '/run/dockerd.pid', '-H', 'unix:///run/docker.sock', '-H', this.address],
      ...[
        '--cgroup-parent',
        `/${basename(worldFolder())}`,
        '--exec-opt',
        'native.cgroupdriver=cgroupfs',
        ...tls,
      ],
    ];
    const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
    const host = spawn('unshare', [...namespaces, 'sh', '-c', PREPARE, 'sh', 'tini', '--', ...dockerd], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [host.stdout, host.stderr])
      stream.on('data', (text) => {
        said = `${said}${text}`.slice(-4000);
      });
    this.#host = host;
    this.#pid = await eventually(() => {
      const child = childOf(host.pid as number);
      if (child === undefined) throw new Error('unshare has not forked yet');
      return child;
    });
    await succeed('ip', [
      'link',
      'add',
      LINK,
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'netns',
      `${this.#pid}`,
    ]);
    await succeed('ip', ['address', 'add', `${HERE}/24`, 'dev', LINK]);
    await succeed('ip', ['link', 'set', LINK, 'up']);
    await this.run('ip', 'link', 'set', 'eth0', 'up');
    await this.run('ip', 'address', 'add', `${THERE}/24`, 'dev', 'eth0');
    await eventually(
      async () => {
        if ((await this.#docker('version')).status !== 0)
          throw new Error(`the remote engine is not up: ${said}`);
      },
      { within: 30_000 },
    );
  }

  /** The command line that starts a program on that host. */
  get enter(): readonly string[] {
    return ['nsenter', '--target', `${this.#pid}`, '--net', '--mount', '--pid'];
  }

  /** Runs a program on that host. */
  run(program: string, ...args: readonly string[]): Promise<string> {
    const [nsenter, ...entering] = this.enter;
    return succeed(nsenter as string, [...entering, program, ...args]);
  }

  /** Runs the docker client against it, from here. */
  async docker(...args: readonly string[]): Promise<string> {
    return await succeed('docker', args, { env: this.env });
  }

  /** Gives it an image of this world's engine. */
  async load(image: string): Promise<void> {
    const archive = join(this.#folder.path, 'image.tar');
    await succeed('docker', ['save', '-o', archive, image]);
    await this.docker('load', '-i', archive);
  }

  #docker(...args: readonly string[]) {
    return runProgram('docker', args, { env: this.env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ids = (await this.#docker('ps', '-aq')).stdout.split('\n').filter(Boolean);
    if (ids.length > 0) await this.#docker('rm', '-f', ...ids);
    if (this.#host && this.#host.exitCode === null) {
      const ended = once(this.#host, 'exit');
      this.#host.kill('SIGKILL');
      await ended;
    }
    await runProgram('ip', ['link', 'delete', LINK]);
    await this.#folder[Symbol.asyncDispose]();
  }
}

export async function startRemoteEngine(options: RemoteEngineOptions = {}): Promise<RemoteEngine> {
  const engine = new RemoteEngine(await temporaryFolder(), options);
  try {
    await engine.start();
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
  return engine;
}
