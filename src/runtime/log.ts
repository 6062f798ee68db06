import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogLevel } from './log-level.ts';
import { escapedJson, printable } from './printable.ts';

export type { Logger } from 'pino';

/**
 * The daemon's logger: JSON lines for machines, or readable lines for a terminal. Child loggers set their `component`;
 * the field `container` is always the twelve-digit id.
 */
export function createLogger(
  options: { readonly level: LogLevel; readonly pretty: boolean },
  out: { write(text: string): unknown } = process.stdout,
): Logger {
  const destination: DestinationStream = options.pretty
    ? { write: (line) => void out.write(readable(line)) }
    : { write: (line) => void out.write(escapedJson(line)) };
  return pino({ level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

const LABELS: Record<number, string> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error' };

function readable(line: string): string {
  const { time, level, component, msg, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const clock = String(time).slice(11, 23);
  const fields = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const parts = [clock, LABELS[level as number] ?? level, component ?? '-', msg, ...fields];
  return `${printable(parts.join(' '))}\n`;
}

/** For tests, and for commands that log nothing. */
export const silentLogger: Logger = pino({ level: 'silent' });
