/** What fields and functions give: Go's strings, numbers, slices and maps, and structs as plain objects. */
export type Value =
  | string
  | number
  | boolean
  | null
  | readonly Value[]
  | ReadonlyMap<string, Value>
  | { readonly [field: string]: Value };

/** What a template is made of; `Pipe` and `Operand` are Go's terms (text/template). */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output'; readonly pipe: Pipe }
  | {
      readonly kind: 'if' | 'range' | 'with';
      readonly pipe: Pipe;
      readonly body: readonly Part[];
      readonly otherwise: readonly Part[];
    };

/** Commands whose result is each the last argument of the next: `.Config.Env | join ","`. */
export type Pipe = readonly Command[];

/** A function with its arguments, or a single operand. */
export type Command =
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Operand[] }
  | { readonly kind: 'operand'; readonly operand: Operand };

export type Operand =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  /** `.Config.Labels`; from the root where it began with `$`. */
  | { readonly kind: 'field'; readonly root: boolean; readonly names: readonly string[] }
  /** `httpGet "http://…"`. */
  | { readonly kind: 'document'; readonly url: string }
  | { readonly kind: 'pipe'; readonly pipe: Pipe };

/** A template, and the documents that it is made with. */
export interface Template {
  readonly parts: readonly Part[];
  readonly urls: ReadonlySet<string>;
}

/** Why a template cannot be read, or gives nothing for a container; a sentence without its subject. */
export class TemplateError extends Error {}
