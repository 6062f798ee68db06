import type { Snapshot } from '../../docker/snapshot.ts';
import { HeddleError } from '../../errors.ts';
import { didYouMean } from '../../runtime/nearest.ts';
import { hasField, templateContainer } from './container.ts';
import { Documents } from './documents.ts';
import { FUNCTIONS, isTrue, print } from './functions.ts';
import { parse } from './parse.ts';
import { loadRegularExpressions } from './regular-expression.ts';
import { type Command, type Operand, type Part, type Pipe, TemplateError, type Value } from './syntax.ts';
import { Work } from './work.ts';

/** Tags for every container (registrator's `-tags`). */
export interface TagTemplate {
  /** What it is made with beside the container. */
  readonly documents: Documents;
  /** The comma list for one container. @throws TemplateError a sentence on why there is none */
  render(snapshot: Snapshot): string;
}

interface Bounds {
  /** Characters. */
  readonly output: number;
  readonly steps: number;
}

/** Ranges within ranges over what a container says of itself: bounded, whatever it says. */
const OF_A_CONTAINER: Bounds = { output: 64 << 10, steps: 10_000 };
/** What the operator asks for has everything on this host. */
const OF_THE_OPERATOR: Bounds = { output: 64 << 20, steps: 1_000_000 };

/**
 * Reads a template once; text without actions is a template, too.
 * @throws HeddleError `bad-input` saying what is wrong with it
 */
export function parseTagTemplate(text: string): TagTemplate {
  try {
    const { parts, urls } = parse(text, hasField);
    const documents = new Documents(urls, usesRegularExpressions(text) ? loadRegularExpressions : undefined);
    return {
      documents,
      render: (snapshot) => new Rendering(templateContainer(snapshot), documents, OF_A_CONTAINER).run(parts),
    };
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new HeddleError('bad-input', `the template of the tags cannot be used: ${error.message}`);
  }
}

/** Loads what `fillTemplate` needs for this template. */
export async function prepareTemplate(text: string): Promise<void> {
  if (usesRegularExpressions(text)) await loadRegularExpressions();
}

const usesRegularExpressions = (text: string): boolean => /match(First|All)Element/.test(text);

/**
 * Fills a template from a value, as `docker inspect -f` does.
 * @throws HeddleError `bad-input` saying what is wrong with it, or what the value lacks
 */
export function fillTemplate(text: string, value: Value): string {
  try {
    const { parts, urls } = parse(text, () => true);
    if (urls.size > 0) throw new TemplateError('httpGet is for tags alone');
    return new Rendering(value, new Documents(urls), OF_THE_OPERATOR).run(parts);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new HeddleError('bad-input', `the template cannot be used: ${error.message}`);
  }
}

class Rendering {
  readonly #root: Value;
  readonly #documents: Documents;
  readonly #work = new Work();
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
    if (!isTrue(value)) this.#parts(part.otherwise, dot);
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
    // The parser knows that it is there.
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
      `there is no field ${name}${didYouMean(name, known)}; there are ${known.join(', ')}`,
    );
  }
  throw new TemplateError(`${JSON.stringify(print(value).slice(0, 60))} has no field ${name}`);
}

/** In the order of their keys, as Go goes through a map. */
function elements(value: Value): readonly Value[] {
  if (Array.isArray(value)) return value;
  if (value instanceof Map) return [...value].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  throw new TemplateError(
    `range goes through lists and maps, and ${JSON.stringify(print(value).slice(0, 60))} is none`,
  );
}
