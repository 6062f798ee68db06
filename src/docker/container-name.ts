import { HeddleError } from '../errors.ts';

/** What Docker accepts as a container's name, and every id or start of one. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
/** Docker has no bound of its own. Names that people or tools give are shorter. */
const LONGEST = 1024;
const SHOWN = 60;

/**
 * A container's name or id as the engine takes it. `docker inspect` prints names with a leading slash, and the docker
 * client accepts them so.
 * @throws HeddleError `bad-input` for what no container can be called
 */
export function containerName(text: string): string {
  const name = text.replace(/^\//, '');
  if (name.length <= LONGEST && NAME.test(name)) return name;
  const expected = 'expected its name or id: letters, digits, _, . and -';
  if (name === '') throw new HeddleError('bad-input', `the container's name is empty; ${expected}`);
  throw new HeddleError('bad-input', `no container can be called ${shown(text)}; ${expected}`);
}

/** Whether the engine can have given this as an id: 64 hexadecimal digits, and others in another maker's engine. */
export const isContainerId = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9A-Za-z]{1,128}$/.test(value);

/** Whether a container has this name, or an id that begins so: at least three digits of it. */
export function isContainer(
  { id, name }: { readonly id: string; readonly name: string },
  asked: string,
): boolean {
  const own = asked.replace(/^\//, '');
  return own !== '' && (name === own || (own.length >= 3 && id.startsWith(own)));
}

/** Quoted, with control characters and everything else beyond ASCII escaped, and cut where it is long. */
function shown(text: string): string {
  const cut = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  return JSON.stringify(cut).replace(
    /[^\x20-\x7e…]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
