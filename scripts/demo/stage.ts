import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** Every expectation must hold within this time; mostly it holds at the first attempt. */
const PATIENCE = 5000;

/** Checks a command's output; returns a message if the output is wrong. */
export type Expectation = (output: string) => string | undefined;

/** Runs and prints the demo's commands, and stops its background commands at the end. */
export class Stage {
  readonly #env: NodeJS.ProcessEnv;
  readonly #signal: AbortSignal;
  readonly #background: ChildProcess[] = [];

  /** @param options.signal stops everything that is running */
  constructor(options: { readonly env: NodeJS.ProcessEnv; readonly signal: AbortSignal }) {
    this.#env = options.env;
    this.#signal = options.signal;
  }

  /** A line of the story. */
  say(line: string): void {
    console.log(process.stdout.isTTY ? `\n\x1b[1m# ${line}\x1b[0m` : `\n# ${line}`);
  }

  /** Prints a command and then its output, and returns it. @throws Error when it fails */
  async run(command: string): Promise<string> {
    prompt(command);
    const { status, output } = await this.#shell(command);
    if (output !== '') console.log(output);
    if (status !== 0) throw new Error(`this command ended with status ${status}: ${command}`);
    return output;
  }

  /** Runs a command until its output is as expected, and prints both. @throws Error if that takes too long */
  async expect(command: string, expectation: Expectation): Promise<void> {
    prompt(command);
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      const { output } = await this.#shell(command);
      const objection = expectation(output);
      if (objection !== undefined && Date.now() < deadline) {
        await sleep(100, undefined, { signal: this.#signal });
        continue;
      }
      console.log(output);
      if (objection === undefined) return;
      throw new Error(`${objection}: ${command}`);
    }
  }

  /** Prints a command and leaves it running until the end; resolves when its output contains `ready`. */
  async runInBackground(command: string, ready: string): Promise<void> {
    prompt(`${command} &`);
    // The child ends with the demo, even by kill -9. Detached: the clean-up needs it, so Ctrl-C must not reach it.
    const args = ['--pdeathsig', 'TERM', 'sh', '-c', `exec ${command}`];
    const child = spawn('setpriv', args, {
      env: this.#env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#background.push(child);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said = `${said}${chunk}`.slice(-20_000);
      });
    }
    const deadline = Date.now() + 20_000;
    while (!said.includes(ready)) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`${command} is not up:\n${said}`);
      await sleep(20, undefined, { signal: this.#signal });
    }
  }

  /** Ends what runs in the background, last first. */
  async close(): Promise<void> {
    for (const child of this.#background.splice(0).reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(late);
    }
  }

  /** Returns both streams together, as a terminal shows them. */
  #shell(command: string): Promise<{ status: number; output: string }> {
    const options = { env: this.#env, signal: this.#signal, timeout: 60_000 };
    return new Promise((resolve, reject) => {
      execFile('sh', ['-c', `{ ${command}; } 2>&1`], options, (error, stdout) => {
        if (error?.name === 'AbortError') reject(error);
        else resolve({ status: error === null ? 0 : Number(error.code ?? 1), output: stdout.trimEnd() });
      });
    });
  }
}

function prompt(command: string): void {
  console.log(process.stdout.isTTY ? `\x1b[32m$ ${command}\x1b[0m` : `$ ${command}`);
}

/** These lines and no others, in any order. */
export function exactly(...lines: readonly string[]): Expectation {
  const wanted = lines.toSorted().join('\n');
  return (output) =>
    output.split('\n').filter(Boolean).sort().join('\n') === wanted
      ? undefined
      : `expected ${lines.length === 0 ? 'no line' : lines.join(' and ')} of`;
}

/** All of these somewhere in the output. */
export function containing(...parts: readonly string[]): Expectation {
  return (output) => {
    const missing = parts.filter((part) => !output.includes(part));
    return missing.length === 0 ? undefined : `expected to see ${missing.join(' and ')} in the output of`;
  };
}
