import { TemplateError, type Value } from './syntax.ts';

/** Characters read, plus steps of regular expressions: some tens of milliseconds. */
const MAX_WORK = 2_000_000;
/** Characters of one intermediate result. */
const MAX_TEXT = 64 * 1024;
const MAX_ELEMENTS = 10_000;

/** Bounds the work of filling one template, whatever a container's metadata contains. */
export class WorkBudget {
  #done = 0;

  /** @throws TemplateError */
  add(units: number): void {
    this.#done += units;
    if (this.#done > MAX_WORK)
      throw new TemplateError('it takes too much work with the metadata of this container');
  }

  /** Counts the arguments of a function. @throws TemplateError */
  read(values: readonly (Value | undefined)[]): void {
    for (const value of values) this.add(sizeOf(value));
  }

  /** Checks the size of a result before it is built. @throws TemplateError */
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
