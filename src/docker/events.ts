import { messageOf } from '../errors.ts';
import { type Backoff, backoff } from '../runtime/backoff.ts';
import { EndlessLine, type LineLimits, lines } from '../runtime/lines.ts';
import type { Logger } from '../runtime/log.ts';
import { pause } from '../runtime/pause.ts';
import { isContainerId } from './container-name.ts';
import type { Docker } from './engine.ts';

/** An event of a container, which its full id identifies. */
export interface ContainerEvent {
  readonly container: string;
  /** `start`, `die`, `rename`, `health_status`, `connect`, …; details after a colon are cut off. */
  readonly action: string;
  /** The signal of a `kill`: a number as text. */
  readonly signal: string | undefined;
  /** Seconds since 1970 by the engine's clock. */
  readonly time: number;
}

export interface EventHandlers {
  /** The stream is open: a list requested from now on misses nothing. Called after every (re)connection. */
  subscribed(): void;
  event(event: ContainerEvent): void;
  /** The stream broke, and is being reconnected. */
  lost(error: Error): void;
}

/** Short: a returning engine has already started containers, which lack an address until their events arrive. */
export const EVENTS_RETRY: Backoff = { first: 100, longest: 200 };
/** The retry delay after an endless line: an engine that sends one must not be read at full speed. */
const ENDLESS_RETRY_MS = 5_000;
/** An event contains all labels of its container; the container's id comes before them. */
const LINE_LIMITS: LineLimits = { kept: 256 << 10, longest: 64 << 20 };
/** A new stream begins a little before the last event: events of the same instant must not be split. */
const OVERLAP_S = 1;

/**
 * An unbroken stream of container events. It is read immediately (an engine drops unread events), resumed where it
 * broke, and reconnected without limit.
 */
export class EventStream {
  readonly #docker: Pick<Docker, 'events'>;
  readonly #log: Logger;
  readonly #handlers: EventHandlers;
  readonly #stopping = new AbortController();
  #since: number | undefined;
  #running: Promise<void> | undefined;

  constructor(
    needs: { readonly docker: Pick<Docker, 'events'>; readonly log: Logger },
    handlers: EventHandlers,
  ) {
    this.#docker = needs.docker;
    this.#log = needs.log;
    this.#handlers = handlers;
  }

  /** Connects in the background and calls `subscribed` once connected. Never throws: it waits for an absent engine. */
  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.#listen(signal, () => {
          failures = 0;
        });
        throw new Error('the engine ended the stream');
      } catch (error) {
        if (signal.aborted) return;
        if (failures === 0) this.#handlers.lost(error instanceof Error ? error : new Error(messageOf(error)));
        failures++;
        const delay = error instanceof EndlessLine ? ENDLESS_RETRY_MS : backoff(failures, EVENTS_RETRY);
        await pause(delay, signal);
      }
    }
  }

  async #listen(signal: AbortSignal, subscribed: () => void): Promise<void> {
    const since = this.#since === undefined ? undefined : this.#since - OVERLAP_S;
    const stream = await this.#docker.events(since, signal);
    subscribed();
    this.#handlers.subscribed();
    for await (const line of lines(stream as AsyncIterable<Buffer>, LINE_LIMITS)) this.#read(line);
  }

  #read(line: string): void {
    const event = parseEvent(line);
    if (event === undefined) {
      if (line.trim() !== '')
        this.#log.debug({ line: line.slice(0, 200) }, 'ignored an event that cannot be parsed');
      return;
    }
    this.#since = Math.max(this.#since ?? 0, event.time);
    this.#handlers.event(event);
  }
}

/** Parses a line of the events stream; `undefined` if it concerns no container or cannot be parsed. */
export function parseEvent(line: string): ContainerEvent | undefined {
  let event: RawEvent | null;
  try {
    event = JSON.parse(line) as RawEvent | null;
  } catch {
    return parseCut(line);
  }
  if (event === null) return undefined;
  const container: unknown = event.Type === 'network' ? event.Actor?.Attributes?.container : event.Actor?.ID;
  if (!isContainerId(container) || typeof event.Action !== 'string') return undefined;
  const [action = ''] = event.Action.split(':', 1);
  const time = typeof event.timeNano === 'number' ? event.timeNano / 1e9 : Number(event.time) || 0;
  const signal: unknown = event.Actor?.Attributes?.signal;
  return { container, action, signal: typeof signal === 'string' ? signal : undefined, time };
}

/** Parses the beginning of a cut line: engines write type, action and id before the attributes. */
function parseCut(line: string): ContainerEvent | undefined {
  if (line.length < LINE_LIMITS.kept) return undefined;
  const head = line.slice(0, 1000);
  const [, action = '', container] =
    /"Type":"container","Action":"([a-z_]+)[^"]*","Actor":\{"ID":"([0-9A-Za-z]{1,128})"/.exec(head) ?? [];
  return container === undefined ? undefined : { container, action, signal: undefined, time: 0 };
}

interface RawEvent {
  readonly Type?: string;
  readonly Action?: string;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> };
  readonly time?: number;
  readonly timeNano?: number;
}
