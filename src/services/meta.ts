import type { Variable } from './environment.ts';
import { OWNER_META } from './service.ts';

/** Consul's limits on service Meta (agent/structs). Consul rejects the whole service for one pair beyond them. */
const MAX_PAIRS = 64;
const MAX_KEY = 128;
const MAX_VALUE_BYTES = 512;

/** Meta of the pairs that Consul accepts, sorted by key, and one problem for each pair that it would reject. */
export function metaOf(settings: ReadonlyMap<string, Variable>): {
  readonly meta: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
} {
  const meta: Record<string, string> = {};
  const problems: string[] = [];
  let room = MAX_PAIRS - Object.keys(OWNER_META).length;
  for (const [key, { variable, value }] of [...settings].sort(byKey)) {
    const why = room === 0 ? 'Consul holds no more than 64 Meta pairs' : refusal(key, value);
    if (why === undefined) {
      meta[key] = value;
      room--;
    } else {
      problems.push(`${shown(variable)} is left out: ${why}`);
    }
  }
  return { meta, problems };
}

function refusal(key: string, value: string): string | undefined {
  if (key.length > MAX_KEY) return `its name is longer than ${MAX_KEY} characters`;
  if (!/^[a-z0-9_-]+$/.test(key)) return 'a Meta name has only letters, digits, `_` and `-`';
  if (key.startsWith('consul-')) return 'names that begin with `consul-` are reserved';
  if (key.startsWith('heddle-')) return 'names that begin with `heddle-` are reserved';
  if (key === '__proto__') return '`__proto__` is not a usable name';
  if (Buffer.byteLength(value) > MAX_VALUE_BYTES) return `its value is longer than ${MAX_VALUE_BYTES} bytes`;
  return undefined;
}

/** A name or value from a container for messages: printable and short. */
export function shown(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return short.replace(/[^\x20-\x7e…]/g, '?');
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
