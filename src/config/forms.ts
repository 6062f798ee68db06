import * as v from 'valibot';
import { HeddleError } from '../errors.ts';
import { familyOf, networkOf, parseCidr } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';

/** Some text, trimmed; a number in the file is one, too. */
export const text = v.pipe(
  v.union([v.string(), v.number()], 'is not a text'),
  v.transform(String),
  v.trim(),
  v.minLength(1, 'is empty'),
);
/** One of a few words. */
export const oneOf = <const T extends readonly string[]>(words: T) =>
  v.picklist(words, `is not one of ${words.join(', ')}`);
/** A whole number within bounds, as text or number. */
export const whole = (least: number, most: number) =>
  v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number))], 'is not a whole number'),
    v.minValue(least, `is less than ${least}`),
    v.maxValue(most, `is more than ${most}`),
  );
/** Repeated, or separated by commas; each word as its parser reads it. */
export const listOf = <T>(parse: (word: string) => T) =>
  v.pipe(
    v.union([
      v.array(v.string()),
      v.pipe(
        v.string(),
        v.transform((list) => [list]),
      ),
    ]),
    v.transform((lists) => lists.flatMap((list) => list.split(',')).map((word) => word.trim())),
    v.transform((words) => words.filter(Boolean).map(parse)),
  );
const NEITHER = 'is neither true nor false';
/** A switch, as a flag or as a word. */
export const onOrOff = v.pipe(
  v.union([v.boolean(), v.picklist(['true', 'false'])], NEITHER),
  v.transform((word) => word === true || word === 'true'),
);
/** A switch that Consul's client has, too: Go reads these words (strconv.ParseBool). */
export const goBoolean = v.pipe(
  v.union(
    [v.boolean(), v.pipe(v.string(), v.regex(/^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/, NEITHER))],
    NEITHER,
  ),
  v.transform((word) => (typeof word === 'boolean' ? word : /^[1t]/i.test(word))),
);
/** The name of a network device (linux/if.h: at most 15 characters). */
export const deviceName = v.pipe(
  text,
  v.regex(/^[A-Za-z0-9_.-]{1,15}$/, 'is not a device name (1 to 15 of A-Z a-z 0-9 _ . -)'),
);
const withoutFinalDot = (name: string) => name.toLowerCase().replace(/\.$/, '');
const DOMAIN = /^([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/;
/** A domain name, in lower case and without the final dot. */
export const dnsLabels = v.pipe(text, v.transform(withoutFinalDot), v.regex(DOMAIN, 'is not a domain name'));
/** The root, which docker takes for no search at all, or a domain. */
export const parseSearch = (word: string): string => {
  const domain = withoutFinalDot(word);
  if (word === '.' || DOMAIN.test(domain)) return domain || '.';
  throw new HeddleError('bad-input', `\`${word}\` is no search domain; expected one as in weave.local, or .`);
};
/** A network, or one address. */
export const parseNetworkAllowed = (word: string): Cidr => {
  const family = familyOf(word);
  return networkOf(parseCidr(family === undefined ? word : `${word}/${family === 4 ? 32 : 128}`));
};
/** In upper case. */
export const parseMethod = (word: string): string => {
  if (/^[A-Za-z]{1,20}$/.test(word)) return word.toUpperCase();
  throw new HeddleError('bad-input', `\`${word}\` is no HTTP method; expected one as in GET`);
};
/** In lower case. */
export const parseHeaderName = (word: string): string => {
  if (/^[!#$%&'*+.^_`|~\w-]{1,100}$/.test(word)) return word.toLowerCase();
  throw new HeddleError('bad-input', `\`${word}\` is no HTTP header; expected a name as in Host`);
};
