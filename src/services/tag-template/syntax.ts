/** Values of fields and functions: Go's strings, numbers, slices and maps; structs are plain objects. */
export type Value =
  | string
  | number
  | boolean
  | null
  | readonly Value[]
  | ReadonlyMap<string, Value>
  | { readonly [field: string]: Value };

/** A part of a template; `Pipe` and `Operand` are Go's terms (text/template). */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output'; readonly pipe: Pipe }
  | {
      readonly kind: 'if' | 'range' | 'with';
      readonly pipe: Pipe;
      readonly body: readonly Part[];
      readonly elseBody: readonly Part[];
    };

/** Commands; the result of each is the last argument of the next: `.Config.Env | join ","`. */
export type Pipe = readonly Command[];

/** A function with its arguments, or a single operand. */
export type Command =
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Operand[] }
  | { readonly kind: 'operand'; readonly operand: Operand };

export type Operand =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  /** `.Config.Labels`; `root` if it begins with `$`. */
  | { readonly kind: 'field'; readonly root: boolean; readonly names: readonly string[] }
  /** `httpGet "http://…"`. */
  | { readonly kind: 'document'; readonly url: string }
  | { readonly kind: 'pipe'; readonly pipe: Pipe };

/** A parsed template and the URLs of its documents. */
export interface Template {
  readonly parts: readonly Part[];
  readonly urls: ReadonlySet<string>;
}

/** Why a template cannot be parsed or cannot be filled for a container; the message is a clause for a sentence. */
export class TemplateError extends Error {}
