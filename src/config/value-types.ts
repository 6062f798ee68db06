import * as v from 'valibot';
import { HeddleError } from '../errors.ts';
import { familyOf, networkOf, parseCidr } from '../network/cidr.ts';
import type { Cidr } from '../network/engine.ts';

/** Non-empty text, trimmed. A number in the settings file counts as text. */
export const text = v.pipe(
  v.union([v.string(), v.number()], 'is not a text'),
  v.transform(String),
  v.trim(),
  v.minLength(1, 'is empty'),
);
/** One of a few choices. */
export const oneOf = <const T extends readonly string[]>(choices: T) =>
  v.picklist(choices, `is not one of ${choices.join(', ')}`);
/** A whole number within bounds, as text or number. */
export const whole = (min: number, max: number) =>
  v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number))], 'is not a whole number'),
    v.minValue(min, `is less than ${min}`),
    v.maxValue(max, `is more than ${max}`),
  );
/** A list by repetition or commas; `parse` reads each item. */
export const listOf = <T>(parse: (item: string) => T) =>
  v.pipe(
    v.union([
      v.array(v.string()),
      v.pipe(
        v.string(),
        v.transform((list) => [list]),
      ),
    ]),
    v.transform((lists) => lists.flatMap((list) => list.split(',')).map((item) => item.trim())),
    v.transform((items) => items.filter(Boolean).map(parse)),
  );
const NEITHER = 'is neither true nor false';
/** A switch, as a flag or as `true` or `false`. */
export const onOrOff = v.pipe(
  v.union([v.boolean(), v.picklist(['true', 'false'])], NEITHER),
  v.transform((value) => value === true || value === 'true'),
);
/** A switch of Consul's client, with the values that Go reads (strconv.ParseBool). */
export const goBoolean = v.pipe(
  v.union(
    [v.boolean(), v.pipe(v.string(), v.regex(/^(1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/, NEITHER))],
    NEITHER,
  ),
  v.transform((value) => (typeof value === 'boolean' ? value : /^[1t]/i.test(value))),
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
/** A search domain, or the root, which Docker reads as no search domain. */
export const parseSearch = (text: string): string => {
  const domain = withoutFinalDot(text);
  if (text === '.' || DOMAIN.test(domain)) return domain || '.';
  throw new HeddleError(
    'bad-input',
    `\`${text}\` is not a search domain; expected one like weave.local, or .`,
  );
};
/** A network, or one address. */
export const parseNetworkAllowed = (text: string): Cidr => {
  const family = familyOf(text);
  return networkOf(parseCidr(family === undefined ? text : `${text}/${family === 4 ? 32 : 128}`));
};
/** An HTTP method, in upper case. */
export const parseMethod = (text: string): string => {
  if (/^[A-Za-z]{1,20}$/.test(text)) return text.toUpperCase();
  throw new HeddleError('bad-input', `\`${text}\` is not an HTTP method; expected one like GET`);
};
/** The name of an HTTP header, in lower case. */
export const parseHeaderName = (text: string): string => {
  if (/^[!#$%&'*+.^_`|~\w-]{1,100}$/.test(text)) return text.toLowerCase();
  throw new HeddleError('bad-input', `\`${text}\` is not the name of an HTTP header; expected one like Host`);
};
