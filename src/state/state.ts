import { join } from 'node:path';
import { HeddleError, isDenied, messageOf, systemCode } from '../errors.ts';
import { AtomicFile, type FileCalls } from '../runtime/atomic-file.ts';
import { type Backoff, backoff, WITHOUT_JITTER } from '../runtime/backoff.ts';
import { type Logger, silentLogger } from '../runtime/log.ts';
import { newState, readState, type State } from './content.ts';
import { randomHostId } from './host-id.ts';
import { undo } from './undo.ts';

/**
 * Whether a change waits for the disk. `required`: it waits, and is undone if the write fails. `later`: it is effective
 * at once and written in the background, as soon as the disk works: a disk must not keep a container waiting.
 */
export type Durability = 'required' | 'later';

/** Holds the state and applies changes. */
export interface StateStore {
  readonly current: State;
  /**
   * Applies a change at once; a required change resolves when it is written.
   * @throws HeddleError `failed` for a required change that cannot be written; the change is undone
   */
  change(edit: (state: State) => State, durability?: Durability): Promise<void>;
}

/** A state that is never written. */
export class MemoryState implements StateStore {
  current: State;

  constructor(begin: State = newState(randomHostId())) {
    this.current = begin;
  }

  /**
   * A copy of a daemon's state in this folder; empty if there is no readable file.
   * @throws HeddleError `failed` for a damaged file
   */
  static async copyOf(folder: string): Promise<MemoryState> {
    try {
      return new MemoryState(await readState(new AtomicFile(join(folder, STATE_FILE))));
    } catch (error) {
      if (error instanceof HeddleError) throw error;
      return new MemoryState();
    }
  }

  async change(edit: (state: State) => State): Promise<void> {
    this.current = edit(this.current);
  }
}

/** Name of the file in the state folder. */
export const STATE_FILE = 'state.json';

/** Errors that may pass: the daemon starts despite them. */
const TRANSIENT: ReadonlySet<string> = new Set([
  ...['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM'],
]);
const NOT_WRITTEN =
  'cannot write state: names, registrations and attachments go on; new addresses and names are refused, and all other ' +
  'changes are written as soon as the disk accepts them';
const NOT_FLUSHED =
  'the state is written, but a crash of this host may lose the last changes: the write is repeated until the disk ' +
  'confirms it';
/** Changes within this time share one write, as when the first scan finds a hundred containers. */
const WRITE_DELAY_MS = 50;
const RETRY: Backoff = { first: 250, longest: 30_000 };
/** The longest wait for a disk that hangs: a successor gives up after 15 s. */
const CLOSE_TIMEOUT_MS = 5_000;

export interface StateFileOptions {
  readonly log?: Logger;
  /** The functions that read and write the file. */
  readonly calls?: FileCalls;
}

/**
 * The state file: read once, written atomically after every change. If a write fails, the state stays in memory, the
 * failure is logged once, and the write is retried until it succeeds.
 */
export class StateFile implements StateStore {
  readonly #file: AtomicFile;
  readonly #log: Logger;
  #state: State;
  #writing: Promise<void> = Promise.resolve();
  /** The next write, which has not begun. */
  #next: Promise<void> | undefined;
  /** Failed attempts in a row. */
  #failures = 0;
  /** The message that was logged for them. */
  #logged: string | undefined;
  #later: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** Then another daemon may write the file. */
  #isClosed = false;

  private constructor(file: AtomicFile, state: State, log: Logger) {
    this.#file = file;
    this.#state = state;
    this.#log = log;
  }

  /**
   * Reads `state.json` in the folder, or creates both with a host-id from `newHostId`.
   * @throws HeddleError `not-permitted` or `failed`, for a folder that is not writable or a damaged file
   */
  static async open(
    folder: string,
    newHostId: () => string | Promise<string> = randomHostId,
    { log = silentLogger, calls }: StateFileOptions = {},
  ): Promise<StateFile> {
    const file = new AtomicFile(join(folder, STATE_FILE), calls);
    let state: StateFile;
    try {
      state = new StateFile(file, (await readState(file)) ?? newState(await newHostId()), log);
    } catch (cause) {
      if (cause instanceof HeddleError) throw cause;
      throw new HeddleError('failed', `cannot read the state file ${file.path}: ${messageOf(cause)}`, {
        cause,
      });
    }
    try {
      await state.#write();
    } catch (cause) {
      if (!TRANSIENT.has(systemCode(cause) ?? '')) throw cannotWrite(folder, cause);
    }
    return state;
  }

  get path(): string {
    return this.#file.path;
  }

  get current(): State {
    return this.#state;
  }

  /** Changes before a write begins share that write. */
  async change(edit: (state: State) => State, durability: Durability = 'required'): Promise<void> {
    if (this.#isClosed && durability === 'required') {
      throw new HeddleError('refused', 'this daemon is stopping and accepts no more changes; try again');
    }
    const before = this.#state;
    const after = edit(before);
    this.#state = after;
    if (durability === 'later') {
      // While writes fail, the next retry includes this change.
      if (this.#failures === 0)
        this.#later ??= setTimeout(() => void this.#flush().catch(() => {}), WRITE_DELAY_MS);
      return;
    }
    try {
      await this.#flush();
    } catch (cause) {
      this.#state = undo(this.#state, { before, after });
      throw new HeddleError(
        'failed',
        `cannot write state to ${this.path}: ${messageOf(cause)}; nothing was changed; free space there or make it writable, then try again`,
        { cause },
      );
    }
  }

  /** Stops after a last write attempt. When it resolves, no write is running unless the disk hangs. */
  async close(): Promise<void> {
    clearTimeout(this.#retry);
    const last = this.#failures > 0 || this.#later !== undefined ? this.#flush() : this.#writing;
    this.#isClosed = true;
    const timeout = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_TIMEOUT_MS).unref());
    await Promise.race([last.catch(() => {}), timeout]);
    clearTimeout(this.#retry);
  }

  #flush(): Promise<void> {
    if (this.#isClosed) return this.#writing;
    this.#next ??= this.#writing
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        return this.#write();
      });
    this.#writing = this.#next;
    return this.#next;
  }

  async #write(): Promise<void> {
    clearTimeout(this.#later);
    this.#later = undefined;
    let syncError: unknown;
    try {
      syncError = await this.#file.write(`${JSON.stringify(this.#state, null, 2)}\n`);
    } catch (error) {
      this.#failed(error, NOT_WRITTEN);
      throw error;
    }
    if (syncError !== undefined) {
      this.#failed(syncError, NOT_FLUSHED);
      return;
    }
    clearTimeout(this.#retry);
    if (this.#failures > 0) this.#log.info({ path: this.path }, 'the state is written again');
    this.#failures = 0;
    this.#logged = undefined;
  }

  #failed(error: unknown, message: string): void {
    if (message !== this.#logged) {
      this.#logged = message;
      this.#log.error({ path: this.path, code: systemCode(error), error: messageOf(error) }, message);
    }
    this.#failures++;
    const delay = backoff(this.#failures, RETRY, WITHOUT_JITTER);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#flush().catch(() => {}), delay).unref();
  }
}

const cannotWrite = (folder: string, cause: unknown): HeddleError => {
  const code = isDenied(cause) ? 'not-permitted' : 'failed';
  const message = `cannot write state to ${folder}: ${messageOf(cause)}; run as root or choose another folder with --state-dir`;
  return new HeddleError(code, message, { cause });
};
