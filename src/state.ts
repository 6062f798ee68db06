import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { AttachOptionsSchema } from './containers/attach-options.ts';
import { HeddleError, messageOf, systemCode } from './errors.ts';
import { randomHostId } from './host-id.ts';

/**
 * What cannot be derived from Docker and the kernel. Host and owner stand in it from the first version: the file has
 * the shape that many hosts need.
 */
const StateSchema = v.object({
  version: v.literal(1),
  /** Who owns our entries in a shared catalog; never the host's name, which changes and repeats. */
  hostId: v.pipe(v.string(), v.regex(/^[0-9a-f]{12}$/)),
  /** Addresses given by `attach`, by container id: kept so that a restarted container gets them back. */
  claims: v.record(v.string(), v.array(v.string())),
  /** How those with addresses are attached, where that was chosen; absent in older files. */
  attachments: v.optional(v.record(v.string(), AttachOptionsSchema), {}),
  /** Those of the exposed addresses that are not masqueraded; absent in older files. */
  unmasqueraded: v.optional(v.array(v.string()), []),
  /** Addresses given up that may still be on an interface, by who had them; absent in older files. */
  leaving: v.optional(v.record(v.string(), v.array(v.string())), {}),
  /** Names given by `dns-add`; absent in files that were written before there were any. */
  names: v.optional(
    v.array(
      v.object({
        name: v.string(),
        /** The id of the container whose name it is; names without one belong to nobody here. */
        container: v.optional(v.string()),
        /** Empty for whatever the container has. */
        ips: v.array(v.string()),
      }),
    ),
    [],
  ),
});

export type State = v.InferOutput<typeof StateSchema>;

/** What keeps a state, for as long as it may. */
export interface StateKeeper {
  readonly current: State;
  /** Counts at once; resolves when it is kept. */
  change(edit: (state: State) => State): Promise<void>;
}

/** A state that ends with its process. */
export class MemoryState implements StateKeeper {
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
      return new MemoryState(await readState(join(folder, STATE_FILE)));
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

/** The one small state file: read once, written atomically after every change. */
export class StateFile implements StateKeeper {
  readonly path: string;
  #state: State;
  #writing: Promise<void> = Promise.resolve();
  /** The write that has not begun yet. */
  #next: Promise<void> | undefined;

  private constructor(path: string, state: State) {
    this.path = path;
    this.#state = state;
  }

  /**
   * Reads `state.json` in the folder, or makes both, with a host-id of `newHostId`.
   * @throws HeddleError `not-permitted` or `failed`, for a folder that cannot be written or a file that is damaged
   */
  static async open(
    folder: string,
    newHostId: () => string | Promise<string> = randomHostId,
  ): Promise<StateFile> {
    const path = join(folder, STATE_FILE);
    try {
      await mkdir(folder, { recursive: true, mode: 0o755 });
      const file = new StateFile(path, (await readState(path)) ?? newState(await newHostId()));
      await file.#write();
      return file;
    } catch (cause) {
      if (cause instanceof HeddleError) throw cause;
      const code = ['EACCES', 'EPERM', 'EROFS'].includes(systemCode(cause) ?? '')
        ? 'not-permitted'
        : 'failed';
      throw new HeddleError(
        code,
        `cannot keep state in ${folder}: ${messageOf(cause)}; run as root or name another folder with --state-dir`,
        { cause },
      );
    }
  }

  get current(): State {
    return this.#state;
  }

  /** Changes the state and resolves when it is on disk; one write serves all changes that came before it began. */
  async change(edit: (state: State) => State): Promise<void> {
    this.#state = edit(this.#state);
    this.#next ??= this.#writing
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        return this.#write();
      });
    this.#writing = this.#next;
    await this.#next;
  }

  async #write(): Promise<void> {
    const temporary = `${this.path}.new`;
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(this.#state, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, this.path);
    const folder = await open(dirname(this.path));
    await folder.sync().finally(() => folder.close());
  }
}

const newState = (hostId: string): State => ({
  version: 1,
  hostId,
  claims: {},
  attachments: {},
  unmasqueraded: [],
  leaving: {},
  names: [],
});

/** Undefined where there is no such file. */
async function readState(path: string): Promise<State | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    return undefined;
  }
  try {
    return v.parse(StateSchema, JSON.parse(text));
  } catch (cause) {
    throw new HeddleError(
      'failed',
      `the state file ${path} is damaged (${messageOf(cause)}); restore it, or move it away to start anew: ` +
        'registrations made under the old host-id then have to be removed by hand',
      { cause },
    );
  }
}
