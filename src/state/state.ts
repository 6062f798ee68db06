import { join } from 'node:path';
import { HeddleError, messageOf, systemCode } from '../errors.ts';
import { AtomicFile, type FileCalls } from '../runtime/atomic-file.ts';
import { type Logger, silentLogger } from '../runtime/log.ts';
import { newState, readState, type State } from './content.ts';
import { randomHostId } from './host-id.ts';
import { undo } from './undo.ts';

/**
 * Whether a change waits for the disk. `required`: it does, and is undone where the disk does not take it. `later`: it
 * stands at once and is written beside, or when the disk takes it again: a disk must not keep a container waiting.
 */
export type Durability = 'required' | 'later';

/** What keeps a state, for as long as it may. */
export interface StateStore {
  readonly current: State;
  /**
   * Counts at once; a required change resolves when it is kept.
   * @throws HeddleError `failed` for a required change that cannot be written; it does not count any more
   */
  change(edit: (state: State) => State, durability?: Durability): Promise<void>;
}

/** A state that ends with its process. */
export class MemoryState implements StateStore {
  current: State;

  constructor(begin: State = newState(randomHostId())) {
    this.current = begin;
  }

  /**
   * A copy of what a daemon keeps in this folder, or has left there; empty where there is nothing for us to read.
   * @throws HeddleError `failed` for a file that is damaged
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

/** In the state's folder. */
export const STATE_FILE = 'state.json';

/** Troubles of a disk or a system that pass: a daemon goes on without it. */
const TRANSIENT: ReadonlySet<string> = new Set([
  ...['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE', 'ENOMEM'],
]);
const NOT_WRITTEN =
  'cannot keep state: names, registrations and attachments go on; addresses and names that are given now are ' +
  'refused, and the rest is written as soon as the disk takes it';
const NOT_FLUSHED =
  'the state is written, but a crash of this host may lose the last changes: the write is repeated until the disk ' +
  'confirms it';
/** What comes in so much time, as when a hundred containers are found at a start, is one write. */
const WRITE_DELAY_MS = 50;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 30_000;
/** A disk that hangs is not waited for: a daemon that takes over gives up after 15 s. */
const CLOSE_TIMEOUT_MS = 5_000;

export interface StateFileOptions {
  readonly log?: Logger;
  /** What the file is read and written with. */
  readonly calls?: FileCalls;
}

/**
 * The one small state file: read once, written atomically after every change. What the disk does not take is kept in
 * memory, said once, and tried again until it is written.
 */
export class StateFile implements StateStore {
  readonly #file: AtomicFile;
  readonly #log: Logger;
  #state: State;
  #writing: Promise<void> = Promise.resolve();
  /** The write that has not begun yet. */
  #next: Promise<void> | undefined;
  /** Failed attempts in a row. */
  #failures = 0;
  /** What the log says of them. */
  #logged: string | undefined;
  #later: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** Another daemon may write the file by now. */
  #isClosed = false;

  private constructor(file: AtomicFile, state: State, log: Logger) {
    this.#file = file;
    this.#state = state;
    this.#log = log;
  }

  /**
   * Reads `state.json` in the folder, or makes both, with a host-id of `newHostId`.
   * @throws HeddleError `not-permitted` or `failed`, for a folder that may not be written or a file that is damaged
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

  /** One write serves all changes that came before it began. */
  async change(edit: (state: State) => State, durability: Durability = 'required'): Promise<void> {
    if (this.#isClosed && durability === 'required') {
      throw new HeddleError('refused', 'this daemon is stopping, and changes nothing any more; try again');
    }
    const before = this.#state;
    const after = edit(before);
    this.#state = after;
    if (durability === 'later') {
      // While the disk takes nothing, its next try is soon enough.
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
        `cannot keep state in ${this.path}: ${messageOf(cause)}; nothing was changed; make room there, or make it writable, and try again`,
        { cause },
      );
    }
  }

  /** Ends the tries, after a last one. All writes have ended when it resolves, unless the disk hangs. */
  async close(): Promise<void> {
    clearTimeout(this.#retry);
    const last = this.#failures > 0 || this.#later !== undefined ? this.#flush() : this.#writing;
    this.#isClosed = true;
    const patience = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_TIMEOUT_MS).unref());
    await Promise.race([last.catch(() => {}), patience]);
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

  #failed(error: unknown, sentence: string): void {
    if (sentence !== this.#logged) {
      this.#logged = sentence;
      this.#log.error({ path: this.path, code: systemCode(error), error: messageOf(error) }, sentence);
    }
    const delay = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures++;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#flush().catch(() => {}), delay).unref();
  }
}

const cannotWrite = (folder: string, cause: unknown): HeddleError => {
  const code = ['EACCES', 'EPERM'].includes(systemCode(cause) ?? '') ? 'not-permitted' : 'failed';
  const message = `cannot keep state in ${folder}: ${messageOf(cause)}; run as root or name another folder with --state-dir`;
  return new HeddleError(code, message, { cause });
};
