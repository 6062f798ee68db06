import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import { printable } from '../runtime/printable.ts';
import { type CommandResult, dockerCommand } from './docker-client.ts';

/** How a container ended shortly after its start. */
export interface ContainerEnd {
  readonly name: string;
  /** Its own exit status; undefined if the engine cannot report it. */
  readonly status: number | undefined;
  /** The engine's reason, such as `OCI runtime exec failed …`; may be empty. */
  readonly reason: string;
  /** Whether Docker starts it again, by its restart policy. */
  readonly restarts: boolean;
  /** False when Docker removes it at its end: `--rm`. */
  readonly kept: boolean;
}

const Inspected = v.object({
  Name: v.string(),
  State: v.object({
    Status: v.string(),
    ExitCode: v.number(),
    Error: v.optional(v.string(), ''),
    OOMKilled: v.optional(v.boolean(), false),
  }),
});
const RUNNING: ReadonlySet<string> = new Set(['created', 'running', 'paused']);

/** The container's network disappears a moment before the engine reports its end. */
const ATTEMPTS = 5;
const RETRY_MS = 100;
/** Upper bound for an engine that hangs, or for a log from a remote engine. */
const LIMIT_MS = 10_000;
const LOG_LINES = 10;
const LONGEST_LINE = 500;

/** How the container ended; undefined while it runs. */
export async function endOf(id: string): Promise<ContainerEnd | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const inspected = await docker('inspect', '--type=container', id);
    if (inspected.status !== 0) return /no such/i.test(inspected.stderr) ? endOfRemoved(id) : undefined;
    const parsed = v.safeParse(v.tuple([Inspected]), parseJson(inspected.stdout));
    if (!parsed.success) return undefined;
    const [{ Name, State }] = parsed.output;
    if (!RUNNING.has(State.Status)) {
      return {
        name: Name.replace(/^\//, ''),
        status: State.ExitCode,
        reason: State.Error || (State.OOMKilled ? 'it was out of memory' : ''),
        restarts: State.Status === 'restarting',
        kept: State.Status !== 'removing',
      };
    }
    if (attempt === ATTEMPTS) return undefined;
    await delay(RETRY_MS);
  }
}

/** Reads the end of a removed container from Docker's events. Their time range is on the engine's own clock. */
async function endOfRemoved(id: string): Promise<ContainerEnd> {
  const { stdout: now } = await docker('info', '--format', '{{.SystemTime}}');
  const until = Math.ceil(Date.parse(now.trim()) / 1000);
  const filters = ['--filter', `container=${id}`, '--filter', 'event=die'];
  const format = ['--format', '{{.Actor.Attributes.exitCode}} {{.Actor.Attributes.name}}'];
  const { stdout } = Number.isNaN(until)
    ? { stdout: '' }
    : await docker('events', '--since', '0', '--until', String(until), ...filters, ...format);
  const [status = '', name = ''] = (stdout.trim().split('\n').at(-1) ?? '').split(' ');
  return {
    name: name || id.slice(0, 12),
    status: /^\d+$/.test(status) ? Number(status) : undefined,
    reason: '',
    restarts: false,
    kept: false,
  };
}

/** The last lines of its log, safe for a terminal; docker's own error where the log cannot be read. */
export async function lastLines(id: string): Promise<readonly string[]> {
  const { status, stdout, stderr } = await docker('logs', `--tail=${LOG_LINES}`, id);
  // docker logs writes the program's stderr to stderr.
  const text = status === 0 ? `${stdout}${stderr}` : stderr;
  return text
    .split(/\r?\n/)
    .filter((line) => line !== '')
    .slice(-2 * LOG_LINES)
    .map((line) => printable(line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line));
}

const docker = (...args: readonly string[]): Promise<CommandResult> =>
  dockerCommand(args, { limit: LIMIT_MS });

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
