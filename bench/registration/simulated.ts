import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '../../test/support/folder.ts';
import { simulatedId } from './simulated-id.ts';

/** An engine of simulated containers in a process of its own, so that its work is not counted as heddle's. */
export class SimulatedEngine {
  /** The services' names, one for each container. */
  readonly names: readonly string[];
  readonly ids: readonly string[];
  readonly #process: ChildProcess;
  readonly #folder: TemporaryFolder;

  private constructor(folder: TemporaryFolder, engine: ChildProcess, count: number) {
    this.#folder = folder;
    this.#process = engine;
    this.names = Array.from({ length: count }, (_, index) => `s${count}-${index}`);
    this.ids = Array.from({ length: count }, (_, index) => simulatedId(index));
  }

  /** @param pids of real processes to attach, one for each container; without pids nothing is attached */
  static async start(count: number, pids: readonly number[] = []): Promise<SimulatedEngine> {
    const folder = await temporaryFolder();
    const program = join(import.meta.dirname, 'simulated-engine.ts');
    const args = [program, join(folder.path, 'docker.sock'), String(count), ...pids.map(String)];
    const engine = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(engine.stdout, 'data');
    return new SimulatedEngine(folder, engine, count);
  }

  /** The value for DOCKER_HOST. */
  get address(): string {
    return `unix://${join(this.#folder.path, 'docker.sock')}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.kill();
    await ended;
    await this.#folder[Symbol.asyncDispose]();
  }
}
