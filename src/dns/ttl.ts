import { HeddleError } from '../errors.ts';

/** A TTL has 31 bits (RFC 2181 §8). */
const MAX_TTL = 2 ** 31 - 1;
const UNIT_SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600 };

/** Reads `30`, `30s`, `5m` or `1h` as seconds. Throws `bad-input`. */
export function parseTtl(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,10})([smh]?)$/.exec(text) ?? [];
  const seconds = Number(digits) * (UNIT_SECONDS[unit] as number);
  if (digits !== '' && seconds <= MAX_TTL) return seconds;
  throw new HeddleError(
    'bad-input',
    `\`${text}\` is not a TTL; expected seconds, or a duration such as 30s, 5m or 1h`,
  );
}

/** Reads `web=30s`: a service's name, a prefix (`web*`) or `*` for all, and its TTL in seconds. Throws `bad-input`. */
export function parseServiceTtl(text: string): readonly [pattern: string, seconds: number] {
  const [, pattern, ttl = ''] = /^([^=*]*\*?)=(.*)$/.exec(text) ?? [];
  if (pattern) return [pattern.toLowerCase(), parseTtl(ttl)];
  throw new HeddleError(
    'bad-input',
    `\`${text}\` sets no service's TTL; expected a form such as web=30s, web*=30s or *=5s`,
  );
}
