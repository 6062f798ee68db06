import { TemplateError } from './syntax.ts';

/** Text between actions, or the tokens of one action. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[] };

export type Token =
  | { readonly kind: 'name' | 'field' | 'sign'; readonly text: string }
  | { readonly kind: 'literal'; readonly value: string | number };

/** Strings may contain `}}`, comments anything. The markers `{{-` and `-}}` trim the white space beside the action. */
const ACTION =
  /\{\{(?<trimBefore>-(?=\s))?\s*(?:\/\*[\s\S]*?\*\/|(?<body>(?:"(?:[^"\\\n]|\\.)*"|`[^`]*`|[^"`}]|\}(?!\}))*?))\s*(?<trimAfter>(?<=\s)-)?\}\}/gy;
const TOKEN =
  /\s*(?:(?<string>"(?:[^"\\\n]|\\.)*")|(?<raw>`[^`]*`)|(?<number>[-+]?\d+(?![\w.]))|(?<field>\$?(?:\.\w+)+|\$|\.)|(?<name>[A-Za-z_]\w*)|(?<sign>[|()]))/y;

/** Splits a template into text and actions. @throws TemplateError */
export function pieces(template: string): readonly Piece[] {
  const found: Piece[] = [];
  let trimNext = false;
  for (let at = 0; at < template.length; ) {
    const open = template.indexOf('{{', at);
    let text = template.slice(at, open < 0 ? undefined : open);
    if (trimNext) text = text.trimStart();
    if (open < 0) return [...found, { kind: 'text', text }];
    ACTION.lastIndex = open;
    const groups = ACTION.exec(template)?.groups;
    if (groups === undefined) throw new TemplateError(`${near(template, open)} is not closed with }}`);
    found.push({ kind: 'text', text: groups.trimBefore === undefined ? text : text.trimEnd() });
    if (groups.body !== undefined) found.push({ kind: 'action', tokens: tokens(groups.body) });
    trimNext = groups.trimAfter !== undefined;
    at = ACTION.lastIndex;
  }
  return found;
}

function tokens(action: string): readonly Token[] {
  const found: Token[] = [];
  const body = action.trimEnd();
  for (let at = 0; at < body.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const groups = TOKEN.exec(body)?.groups;
    if (groups === undefined) throw new TemplateError(`${near(body, at)} is not valid here`);
    found.push(token(groups));
  }
  return found;
}

function token(groups: Readonly<Record<string, string | undefined>>): Token {
  const { string, raw, number, field, name, sign = '' } = groups;
  if (string !== undefined) return { kind: 'literal', value: unquote(string) };
  if (raw !== undefined) return { kind: 'literal', value: raw.slice(1, -1) };
  if (number !== undefined) return { kind: 'literal', value: Number(number) };
  if (field !== undefined) return { kind: 'field', text: field };
  if (name !== undefined) return { kind: 'name', text: name };
  return { kind: 'sign', text: sign };
}

/** Supports those of Go's escapes that JSON has as well. */
function unquote(string: string): string {
  try {
    return JSON.parse(string) as string;
  } catch {
    throw new TemplateError(`${string} has an unsupported escape`);
  }
}

const near = (text: string, at: number): string => JSON.stringify(text.slice(at, at + 30));
