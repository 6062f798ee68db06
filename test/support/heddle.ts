import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '../../scripts/root.ts';
import { worldFolder } from '../../scripts/world/engine.ts';
import { type DigOptions, type DigReply, dig } from './dig.ts';
import { Container } from './engine.ts';
import { eventually } from './eventually.ts';
import { type TemporaryFolder, temporaryFolder } from './folder.ts';
import { childOf, type Outcome, type ProgramOptions, runProgram } from './program.ts';

/** The built program, as `npx heddle` runs it. */
export const HEDDLE = join(ROOT, 'bin/heddle');
/** A port beside the bridge address, so that dig can ask from the host. */
const DNS_PORT = 5353;

/** Runs one command of the built program: `heddle(['attach', '10.2.1.1/16', id])`. */
export function heddle(args: readonly string[], options?: ProgramOptions): Promise<Outcome> {
  return runProgram(HEDDLE, args, options);
}

/** One line of the daemon's log. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The built daemon as a child process, with a state folder and a control socket of its own. */
export class Daemon {
  readonly dnsPort = DNS_PORT;
  readonly log: LogLine[] = [];
  readonly #flags: readonly string[];
  readonly #env: Readonly<Record<string, string>>;
  readonly #enter: readonly string[];
  /** From the first start until the daemon is disposed of. */
  #folder: TemporaryFolder | undefined;
  #process: ChildProcess | undefined;
  #output = '';

  /** @param enter the command line that starts a program on another host of this world; none: it runs here */
  constructor(
    flags: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
    enter: readonly string[] = [],
  ) {
    this.#flags = flags;
    this.#env = env;
    this.#enter = enter;
  }

  get socket(): string {
    return join(this.#path, 'heddle.sock');
  }

  get stateFolder(): string {
    return join(this.#path, 'state');
  }

  get #path(): string {
    if (this.#folder === undefined) throw new Error('the daemon has not been started yet');
    return this.#folder.path;
  }

  /** Gives it a host-id of its own: all daemons of a world share one engine, but each counts as one host. */
  async #beHost(): Promise<void> {
    const state = { version: 1, hostId: randomBytes(6).toString('hex'), claims: {} };
    await mkdir(this.stateFolder, { recursive: true });
    const isThere = (error: { code?: string }) => {
      if (error.code !== 'EEXIST') throw error;
    };
    await writeFile(join(this.stateFolder, 'state.json'), JSON.stringify(state), { flag: 'wx' }).catch(
      isThere,
    );
  }

  /** Resolves when the log says `ready`. @throws Error with the log when it ends or is not ready in 20 s, or outside a world */
  async start(): Promise<void> {
    worldFolder(); // a daemon changes its host: outside a world, that would be the developer's own
    this.#folder ??= await temporaryFolder();
    const own = ['--state-dir', this.stateFolder, '--socket', this.socket, '--log-format', 'json'];
    const listen = ['--dns-listen', `127.0.0.1:${DNS_PORT}`];
    await this.#beHost();
    this.log.length = 0;
    this.#output = '';
    const [program, ...args] = [...this.#enter, HEDDLE, 'daemon', ...own, ...listen, ...this.#flags];
    const daemon = spawn(program as string, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.#env },
    });
    this.#process = daemon;
    for (const stream of [daemon.stdout, daemon.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.#note(line));
    }
    const until = { within: 20_000, every: 20 };
    await eventually(() => {
      if (daemon.exitCode !== null) throw new Error(`the daemon has ended:\n${this.#output}`);
      if (!this.logged('ready')) throw new Error(`the daemon is not ready:\n${this.#output}`);
    }, until);
  }

  #note(line: string): void {
    this.#output = `${this.#output}${line}\n`.slice(-200_000);
    if (line.startsWith('{')) this.log.push(JSON.parse(line) as LogLine);
  }

  /** Whether a line of this message has been logged since the start. */
  logged(message: string): boolean {
    return this.log.some((line) => line.msg === message);
  }

  /** All it has written, for a failure's message. */
  get output(): string {
    return this.#output;
  }

  /** As this host sees it; 0 when it does not run. */
  get pid(): number {
    const { pid = 0 } = this.#process ?? {};
    // nsenter waits for the daemon, and forwards no signal.
    return this.#enter.length === 0 ? pid : (childOf(pid) ?? 0);
  }

  /** Sends SIGTERM and waits; resolves to its exit status. */
  stop(): Promise<number> {
    return this.#end('SIGTERM');
  }

  /** Ends it with kill -9. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Runs a command against this daemon. */
  command(...args: readonly string[]): Promise<Outcome> {
    return heddle(args, { env: { HEDDLE_SOCKET: this.socket } });
  }

  /**
   * `heddle run ARGS FLAGS busybox COMMAND`, which must succeed: args are heddle's (`10.2.1.1/16`), flags are docker's.
   * The container is removed when its scope ends.
   */
  async run(
    args: readonly string[],
    flags: readonly string[] = [],
    command: readonly string[] = ['sleep', '3600'],
  ): Promise<Container> {
    const name = `t-${randomBytes(4).toString('hex')}`;
    const docker = ['--init', '--name', name, ...flags, 'busybox', ...command];
    const { status, stdout, stderr } = await this.command('run', ...args, ...docker);
    if (status !== 0) throw new Error(`heddle run ended with status ${status}: ${stderr}\n${this.#output}`);
    return new Container(stdout.trimEnd().split('\n').at(-1) as string, name);
  }

  /** Asks its resolver on loopback. */
  dig(name: string, options?: DigOptions): Promise<DigReply> {
    return dig(name, { port: DNS_PORT, ...options });
  }

  async #end(signal: NodeJS.Signals): Promise<number> {
    const daemon = this.#process;
    if (daemon === undefined) return 0;
    if (daemon.exitCode === null && daemon.signalCode === null) {
      const ended = once(daemon, 'exit');
      // 0 would be all of this process's group.
      process.kill(this.pid || (daemon.pid as number), signal);
      const late = setTimeout(() => daemon.kill('SIGKILL'), 15_000);
      await ended;
      clearTimeout(late);
    }
    this.#process = undefined;
    return daemon.exitCode ?? 128 + 9;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#folder?.[Symbol.asyncDispose]();
    this.#folder = undefined;
  }
}

/** A daemon that is ready, stopped when its scope ends. @throws Error outside a world */
export async function startDaemon(
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  enter: readonly string[] = [],
): Promise<Daemon> {
  const daemon = new Daemon(flags, env, enter);
  try {
    await daemon.start();
  } catch (error) {
    await daemon[Symbol.asyncDispose]();
    throw error;
  }
  return daemon;
}
