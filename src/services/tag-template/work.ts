import { TemplateError, type Value } from './syntax.ts';

/** Characters looked at, and steps of regular expressions: some tens of milliseconds. */
const MOST = 2_000_000;
/** Characters of one result, which the next function gets. */
const MAX_TEXT = 64 * 1024;
const MAX_ELEMENTS = 10_000;

/** What filling one template has cost so far: bounded, whatever a container says of itself. */
export class Work {
  #done = 0;

  /** @throws TemplateError */
  add(units: number): void {
    this.#done += units;
    if (this.#done > MOST) throw new TemplateError('it takes too much work for what this container says');
  }

  /** Counts what a function is given. @throws TemplateError */
  read(values: readonly (Value | undefined)[]): void {
    for (const value of values) this.add(sizeOf(value));
  }

  /** Refuses a result before it is made. @throws TemplateError */
  static allow(length: number): void {
    if (length > MAX_TEXT) throw new TemplateError(`a text in it is longer than ${MAX_TEXT} characters`);
  }

  static allowElements(count: number): void {
    if (count > MAX_ELEMENTS) throw new TemplateError(`a list in it has more than ${MAX_ELEMENTS} elements`);
  }
}

function sizeOf(value: Value | undefined): number {
  if (typeof value === 'string') return 1 + value.length;
  if (!Array.isArray(value)) return 1;
  return value.reduce((sum: number, one: Value) => sum + sizeOf(one), 1);
}
