import { HeddleError } from '../errors.ts';

/** Docker's pattern for container names; it also matches every id and prefix of an id. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
/** Docker has no limit. Names that people or tools give are shorter. */
const LONGEST = 1024;
const SHOWN = 60;

/**
 * A container's name or id as the engine expects it. `docker inspect` prints names with a leading slash, and the docker
 * client accepts that form.
 * @throws HeddleError `bad-input` for a text that cannot be a container's name or id
 */
export function containerName(text: string): string {
  const name = text.replace(/^\//, '');
  if (name.length <= LONGEST && NAME.test(name)) return name;
  const expected = 'expected its name or id: letters, digits, _, . and -';
  if (name === '') throw new HeddleError('bad-input', `the container's name is empty; ${expected}`);
  throw new HeddleError('bad-input', `${shown(text)} cannot be a container's name; ${expected}`);
}

/** Whether the value can be an id: 64 hexadecimal digits from Docker, other forms from other engines. */
export const isContainerId = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9A-Za-z]{1,128}$/.test(value);

/** Whether a container has this name, or an id with this prefix of at least three digits. */
export function isContainer(
  { id, name }: { readonly id: string; readonly name: string },
  asked: string,
): boolean {
  const wanted = asked.replace(/^\//, '');
  return wanted !== '' && (name === wanted || (wanted.length >= 3 && id.startsWith(wanted)));
}

/** The text quoted, with control and non-ASCII characters escaped, and cut if it is long. */
function shown(text: string): string {
  const cut = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  return JSON.stringify(cut).replace(
    /[^\x20-\x7e…]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
