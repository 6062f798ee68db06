import type { Snapshot } from '../../docker/snapshot.ts';
import { HeddleError } from '../../errors.ts';
import { didYouMean } from '../../runtime/nearest.ts';
import { hasField, templateContainer } from './container.ts';
import { Documents } from './documents.ts';
import { FUNCTIONS, isTrue, print } from './functions.ts';
import { parse } from './parse.ts';
import { loadRegularExpressions } from './regular-expression.ts';
import { type Command, type Operand, type Part, type Pipe, TemplateError, type Value } from './syntax.ts';
import { WorkBudget } from './work-budget.ts';

/** Tags for every container (registrator's `-tags`). */
export interface TagTemplate {
  /** The documents that the template needs besides the container. */
  readonly documents: Documents;
  /** The comma list of tags for one container. @throws TemplateError with the reason */
  render(snapshot: Snapshot): string;
}

interface Bounds {
  /** Characters. */
  readonly output: number;
  readonly steps: number;
}

/** Nested ranges over a container's metadata must stay bounded, whatever the metadata contains. */
const CONTAINER_BOUNDS: Bounds = { output: 64 << 10, steps: 10_000 };
/** Templates of commands range over everything on this host. */
const OPERATOR_BOUNDS: Bounds = { output: 64 << 20, steps: 1_000_000 };

/**
 * Parses a template once; text without actions is a template as well.
 * @throws HeddleError `bad-input` with the reason
 */
export function parseTagTemplate(text: string): TagTemplate {
  try {
    const { parts, urls } = parse(text, hasField);
    const documents = new Documents(urls, usesRegularExpressions(text) ? loadRegularExpressions : undefined);
    return {
      documents,
      render: (snapshot) =>
        new Rendering(templateContainer(snapshot), documents, CONTAINER_BOUNDS).run(parts),
    };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new HeddleError('bad-input', `the template of --tags is not usable: ${error.message}`);
  }
}

/** Loads what `fillTemplate` needs for this template. */
export async function prepareTemplate(text: string): Promise<void> {
  if (usesRegularExpressions(text)) await loadRegularExpressions();
}

const usesRegularExpressions = (text: string): boolean => /match(First|All)Element/.test(text);

/**
 * Fills a template from a value, as `docker inspect -f` does.
 * @throws HeddleError `bad-input` if the template is wrong or the value lacks a field
 */
export function fillTemplate(text: string, value: Value): string {
  try {
    const { parts, urls } = parse(text, () => true);
    if (urls.size > 0) throw new TemplateError('httpGet is only available in --tags');
    return new Rendering(value, new Documents(urls), OPERATOR_BOUNDS).run(parts);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new HeddleError('bad-input', `the template is not usable: ${error.message}`);
  }
}

class Rendering {
  readonly #root: Value;
  readonly #documents: Documents;
  readonly #work = new WorkBudget();
  readonly #bounds: Bounds;
  #output = '';
  #steps = 0;

  constructor(root: Value, documents: Documents, bounds: Bounds) {
    this.#root = root;
    this.#documents = documents;
    this.#bounds = bounds;
  }

  run(parts: readonly Part[]): string {
    this.#parts(parts, this.#root);
    return this.#output;
  }

  #parts(parts: readonly Part[], dot: Value): void {
    for (const part of parts) {
      if (++this.#steps > this.#bounds.steps)
        throw new TemplateError(`it takes more than ${this.#bounds.steps} steps`);
      if (part.kind === 'text') this.#write(part.text);
      else if (part.kind === 'output') this.#write(print(this.#pipe(part.pipe, dot)));
      else this.#block(part, dot);
    }
  }

  #block(part: Exclude<Part, { kind: 'text' | 'output' }>, dot: Value): void {
    const value = this.#pipe(part.pipe, dot);
    if (!isTrue(value)) this.#parts(part.elseBody, dot);
    else if (part.kind === 'range') for (const one of elements(value)) this.#parts(part.body, one);
    else this.#parts(part.body, part.kind === 'with' ? value : dot);
  }

  #write(text: string): void {
    this.#output += text;
    if (this.#output.length > this.#bounds.output)
      throw new TemplateError(`it gives more than ${this.#bounds.output} characters`);
  }

  #pipe(pipe: Pipe, dot: Value): Value {
    let result: Value | undefined;
    for (const command of pipe) result = this.#command(command, dot, result);
    return result as Value;
  }

  #command(command: Command, dot: Value, piped: Value | undefined): Value {
    if (command.kind === 'operand') return this.#operand(command.operand, dot);
    const args = command.args.map((operand) => this.#operand(operand, dot));
    if (piped !== undefined) args.push(piped);
    this.#work.read(args);
    // The parser has checked that the function exists.
    return FUNCTIONS.get(command.name)?.apply(args, this.#work) as Value;
  }

  #operand(operand: Operand, dot: Value): Value {
    if (operand.kind === 'literal') return operand.value;
    if (operand.kind === 'pipe') return this.#pipe(operand.pipe, dot);
    if (operand.kind === 'document') return this.#documents.get(operand.url);
    return operand.names.reduce(field, operand.root ? this.#root : dot);
  }
}

function field(value: Value, name: string): Value {
  if (value instanceof Map) return value.get(name) ?? '';
  const isStruct = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isStruct && Object.hasOwn(value, name))
    return (value as { readonly [name: string]: Value })[name] as Value;
  if (isStruct) {
    const known = Object.keys(value as object);
    throw new TemplateError(
      `there is no field ${name}${didYouMean(name, known)}; the fields are ${known.join(', ')}`,
    );
  }
  throw new TemplateError(`${JSON.stringify(print(value).slice(0, 60))} has no field ${name}`);
}

/** The elements of a list, or the values of a map sorted by key, as in Go. */
function elements(value: Value): readonly Value[] {
  if (Array.isArray(value)) return value;
  if (value instanceof Map) return [...value].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  throw new TemplateError(
    `range takes a list or a map; ${JSON.stringify(print(value).slice(0, 60))} is neither`,
  );
}
