import { FUNCTIONS } from './functions.ts';
import { type Command, type Operand, type Part, type Pipe, type Template, TemplateError } from './syntax.ts';
import { type Piece, pieces, type Token } from './tokens.ts';

/** True if a container has this field; the names start at the root. */
export type Fields = (names: readonly string[]) => boolean;

/** Bounds the nesting of a template, so that the parser's recursion is bounded. */
const MAX_DEPTH = 20;

/**
 * Parses the subset of Go's template language that heddle supports: text, fields, literals, functions, pipes, and if,
 * range, with, else, end.
 * @throws TemplateError with the reason
 */
export function parse(template: string, fields: Fields): Template {
  return new Parser(pieces(template), fields).template();
}

class Parser {
  readonly #pieces: readonly Piece[];
  readonly #fields: Fields;
  readonly #urls = new Set<string>();
  #at = 0;
  /** How many `range` and `with` blocks are open: inside them the dot is not the container. */
  #dotBlocks = 0;
  #depth = 0;

  constructor(pieces: readonly Piece[], fields: Fields) {
    this.#pieces = pieces;
    this.#fields = fields;
  }

  template(): Template {
    const { parts, end } = this.#parts();
    if (end !== undefined) throw new TemplateError(`{{${end.keyword}}} closes no block`);
    return { parts, urls: this.#urls };
  }

  /** The parts up to the end of the template, or up to the `end`, `else` or `else if …` of a block. */
  #parts(): { parts: Part[]; end: { keyword: string; rest: readonly Token[] } | undefined } {
    const parts: Part[] = [];
    for (;;) {
      const piece = this.#pieces[this.#at++];
      if (piece === undefined) return { parts, end: undefined };
      if (piece.kind === 'text') {
        if (piece.text !== '') parts.push(piece);
        continue;
      }
      const [first, ...rest] = piece.tokens;
      const keyword = first?.kind === 'name' ? first.text : '';
      if (keyword === 'end' || keyword === 'else') return { parts, end: { keyword, rest } };
      if (keyword === 'if' || keyword === 'range' || keyword === 'with')
        parts.push(this.#block(keyword, rest));
      else parts.push({ kind: 'output', pipe: this.#pipe(piece.tokens) });
    }
  }

  #block(kind: 'if' | 'range' | 'with', tokens: readonly Token[]): Part {
    if (++this.#depth > MAX_DEPTH) throw new TemplateError(`it nests deeper than ${MAX_DEPTH} blocks`);
    const pipe = this.#pipe(tokens);
    const changesDot = kind === 'if' ? 0 : 1;
    this.#dotBlocks += changesDot;
    const { parts: body, end } = this.#parts();
    this.#dotBlocks -= changesDot;
    const block = { kind, pipe, body, elseBody: this.#elseBody(kind, end) };
    this.#depth--;
    return block;
  }

  #elseBody(kind: string, end: { keyword: string; rest: readonly Token[] } | undefined): readonly Part[] {
    if (end === undefined) throw new TemplateError(`{{${kind}}} has no {{end}}`);
    const [next, ...condition] = end.rest;
    if (end.keyword === 'else' && kind === 'if' && next?.kind === 'name' && next.text === 'if') {
      return [this.#block('if', condition)];
    }
    if (next !== undefined) throw new TemplateError(`{{${end.keyword}}} takes no arguments`);
    if (end.keyword === 'end') return [];
    const { parts, end: last } = this.#parts();
    if (last?.keyword !== 'end') throw new TemplateError(`{{${kind}}} has no {{end}}`);
    return parts;
  }

  #pipe(tokens: readonly Token[]): Pipe {
    const commands: Command[] = [];
    for (let rest = tokens; ; ) {
      const bar = closing(rest, '|');
      commands.push(this.#command(rest.slice(0, bar), commands.length > 0));
      if (bar >= rest.length) return commands;
      rest = rest.slice(bar + 1);
    }
  }

  /** In a pipe, the result of the previous command is one more argument. */
  #command(tokens: readonly Token[], piped: boolean): Command {
    const [first, ...rest] = tokens;
    if (first === undefined) throw new TemplateError('an action is empty or ends with |');
    if (first.kind !== 'name' || CONSTANTS.has(first.text)) {
      const [operand, ...more] = this.#operands(tokens);
      if (operand === undefined || more.length > 0 || piped) {
        throw new TemplateError('only functions take arguments; the first operand is not a function');
      }
      return { kind: 'operand', operand };
    }
    if (first.text === 'httpGet') return { kind: 'operand', operand: this.#document(rest, piped) };
    const known = FUNCTIONS.get(first.text);
    if (known === undefined) {
      throw new TemplateError(
        `there is no function ${first.text}; the functions are ${[...FUNCTIONS.keys(), 'httpGet'].join(', ')}`,
      );
    }
    const args = this.#operands(rest);
    const count = args.length + (piped ? 1 : 0);
    if (count < known.least || count > known.most) throw new TemplateError(`expected ${known.usage}`);
    return { kind: 'call', name: first.text, args };
  }

  /** The URL must be a literal: a container must not choose which server heddle requests. */
  #document([token, ...more]: readonly Token[], piped: boolean): Operand {
    const url = token?.kind === 'literal' ? String(token.value) : '';
    if (!/^https?:/.test(url) || !URL.canParse(url) || more.length > 0 || piped) {
      throw new TemplateError('expected httpGet "URL", with a literal http or https URL');
    }
    this.#urls.add(url);
    return { kind: 'document', url };
  }

  #operands(tokens: readonly Token[]): Operand[] {
    const operands: Operand[] = [];
    for (let at = 0; at < tokens.length; at++) {
      const token = tokens[at] as Token;
      if (token.kind === 'sign') {
        const end = token.text === '(' ? at + 1 + closing(tokens.slice(at + 1), ')') : tokens.length;
        if (end >= tokens.length) throw new TemplateError('its brackets do not match');
        if (++this.#depth > MAX_DEPTH) throw new TemplateError(`it nests deeper than ${MAX_DEPTH} brackets`);
        operands.push({ kind: 'pipe', pipe: this.#pipe(tokens.slice(at + 1, end)) });
        this.#depth--;
        at = end;
      } else {
        operands.push(this.#operand(token));
      }
    }
    return operands;
  }

  #operand(token: Token): Operand {
    if (token.kind === 'literal') return token;
    const constant = CONSTANTS.get(token.text);
    if (constant !== undefined) return constant;
    if (token.kind !== 'field') throw new TemplateError(`${token.text} is not a value`);
    const root = token.text.startsWith('$');
    const names = token.text.split('.').slice(1).filter(Boolean);
    if ((root || this.#dotBlocks === 0) && !this.#fields(names)) {
      throw new TemplateError(`a container has no field ${token.text} here`);
    }
    return { kind: 'field', root, names };
  }
}

const CONSTANTS = new Map<string, Operand>([
  ['true', { kind: 'literal', value: true }],
  ['false', { kind: 'literal', value: false }],
  ['nil', { kind: 'literal', value: null }],
]);

/** The index of this sign outside of brackets; the length if there is none. */
function closing(tokens: readonly Token[], sign: string): number {
  let open = 0;
  const at = tokens.findIndex((token) => {
    if (token.kind !== 'sign') return false;
    if (token.text === sign && open === 0) return true;
    if (token.text === '(') open++;
    if (token.text === ')') open--;
    return false;
  });
  return at < 0 ? tokens.length : at;
}
