import { matching } from './regular-expression.ts';
import { TemplateError, type Value } from './syntax.ts';
import { WorkBudget } from './work-budget.ts';

export interface TemplateFunction {
  readonly usage: string;
  readonly least: number;
  readonly most: number;
  readonly apply: (args: readonly Value[], work: WorkBudget) => Value;
}

/** The functions of registrator's templates, except httpGet (see `Documents`), and those of Go's that tags need. */
export const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map([
  entry('strSlice TEXT FROM [TO]', 2, 3, ([text, from, to]) => {
    const [whole, start] = [string(text), number(from)];
    const end = to === undefined ? whole.length : number(to);
    // As in registrator: the whole text if it is too short, the rest of it if the end is before the start.
    if (start < 0 || start > whole.length || end > whole.length) return whole;
    return end < start ? whole.slice(start) : whole.slice(start, end);
  }),
  entry('sIndex INDEX LIST', 2, 2, ([index, list]) => element(number(index), strings(list))),
  entry('mIndex KEY MAP', 2, 2, ([key, map]) => table(map).get(string(key)) ?? ''),
  entry('toUpper TEXT', 1, 1, ([text]) => string(text).toUpperCase()),
  entry('toLower TEXT', 1, 1, ([text]) => string(text).toLowerCase()),
  entry('replace COUNT OLD NEW TEXT', 4, 4, ([count, before, after, text]) =>
    replace(number(count), string(before), string(after), string(text)),
  ),
  entry('join SEPARATOR LIST', 2, 2, ([separator, list]) => join(strings(list), string(separator))),
  entry('split SEPARATOR TEXT', 2, 2, ([separator, text]) => split(string(text), string(separator))),
  entry('splitIndex INDEX SEPARATOR TEXT', 3, 3, ([index, separator, text]) =>
    element(number(index), split(string(text), string(separator))),
  ),
  entry(
    'matchFirstElement REGEX LIST',
    2,
    2,
    ([regex, list], work) => matching(string(regex), strings(list), work)[0] ?? '',
  ),
  entry('matchAllElements REGEX LIST', 2, 2, ([regex, list], work) =>
    matching(string(regex), strings(list), work),
  ),
  entry('jsonParse TEXT PATH', 2, 2, ([text, path]) => fromJson(string(text), string(path))),
  entry('index LIST-OR-MAP KEY', 2, 2, ([of, key]) =>
    Array.isArray(of) ? at(number(key), of) : (table(of).get(string(key)) ?? ''),
  ),
  entry('json VALUE', 1, 1, ([value]) => JSON.stringify(plain(value as Value))),
  entry('len VALUE', 1, 1, ([value]) => length(value)),
  entry('eq A B', 2, 2, ([a, b]) => a === b),
  entry('ne A B', 2, 2, ([a, b]) => a !== b),
  entry('and A B', 2, 2, ([a, b]) => (isTrue(a) ? b : a) as Value),
  entry('or A B', 2, 2, ([a, b]) => (isTrue(a) ? a : b) as Value),
  entry('not VALUE', 1, 1, ([value]) => !isTrue(value)),
]);

type Apply = (args: readonly (Value | undefined)[], work: WorkBudget) => Value;

function entry(usage: string, least: number, most: number, apply: Apply): [string, TemplateFunction] {
  return [usage.split(' ', 1)[0] as string, { usage, least, most, apply }];
}

/** Go's truth in `if` and `with`. */
export function isTrue(value: Value | undefined): boolean {
  if (value === undefined || value === null) return false;
  if (Array.isArray(value) || value instanceof Map || typeof value === 'string') return length(value) > 0;
  return typeof value === 'object' || Boolean(value);
}

/** Maps become objects, for JSON. */
function plain(value: Value): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, of]) => [key, plain(of)]));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, plain(of)]));
}

/** A value as Go prints it. */
export function print(value: Value): string {
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(print).join(' ')}]`;
  if (value instanceof Map) {
    const pairs = [...value].sort(([a], [b]) => (a < b ? -1 : 1));
    return `map[${pairs.map(([key, of]) => `${key}:${print(of)}`).join(' ')}]`;
  }
  if (typeof value === 'object') return `{${Object.values(value).map(print).join(' ')}}`;
  return String(value);
}

function string(value: Value | undefined): string {
  if (typeof value === 'string') return value;
  throw new TemplateError(`${shown(value)} is not a string`);
}

function number(value: Value | undefined): number {
  if (typeof value === 'number') return value;
  throw new TemplateError(`${shown(value)} is not a number`);
}

function strings(value: Value | undefined): readonly string[] {
  if (Array.isArray(value)) return value.map(string);
  throw new TemplateError(`${shown(value)} is not a list`);
}

function table(value: Value | undefined): ReadonlyMap<string, Value> {
  if (value instanceof Map) return value;
  throw new TemplateError(`${shown(value)} is not a map`);
}

function length(value: Value | undefined): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  return table(value).size;
}

/** As in registrator: a negative index counts from the end, and an index out of range gives the nearest element. */
function element(index: number, list: readonly string[]): string {
  const wanted = index < 0 ? Math.max(0, list.length + index) : Math.min(index, list.length - 1);
  return at(wanted, list) as string;
}

function at(index: number, list: readonly Value[]): Value {
  const found = list[index];
  if (found === undefined) throw new TemplateError(`a list of ${list.length} has no element ${index}`);
  return found;
}

function join(list: readonly string[], separator: string): string {
  const length = list.reduce((sum, text) => sum + text.length, separator.length * list.length);
  WorkBudget.allow(length);
  return list.join(separator);
}

function split(text: string, separator: string): string[] {
  const parts = text.split(separator);
  WorkBudget.allowElements(parts.length);
  return parts;
}

/** Replaces the first `count` occurrences; all if `count` is negative. */
function replace(count: number, before: string, after: string, text: string): string {
  const parts = text.split(before);
  const times = count < 0 ? parts.length - 1 : Math.min(count, parts.length - 1);
  WorkBudget.allow(text.length + times * (after.length - before.length));
  const head = parts.slice(0, times + 1).join(after);
  return [head, ...parts.slice(times + 1)].join(before);
}

/** The value at the path `a::b::c`; empty if there is none, as in registrator. */
function fromJson(text: string, path: string): string {
  try {
    let value: unknown = JSON.parse(text);
    for (const key of path.split('::')) {
      const holder = Object(value) as Readonly<Record<string, unknown>>;
      value = Object.hasOwn(holder, key) ? holder[key] : undefined;
    }
    if (value === undefined) return '';
    return typeof value === 'string' ? value : JSON.stringify(value);
  } catch {
    return '';
  }
}

const shown = (value: Value | undefined): string => JSON.stringify(print(value ?? null).slice(0, 60));
