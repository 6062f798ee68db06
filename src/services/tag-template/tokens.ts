import { TemplateError } from './syntax.ts';

/** Text between actions, or the words of one action. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[] };

export type Token =
  | { readonly kind: 'word' | 'field' | 'sign'; readonly text: string }
  | { readonly kind: 'literal'; readonly value: string | number };

/** Strings may hold `}}`, comments anything; the markers `{{-` and `-}}` take the blanks beside the action away. */
const ACTION =
  /\{\{(?<trimBefore>-(?=\s))?\s*(?:\/\*[\s\S]*?\*\/|(?<words>(?:"(?:[^"\\\n]|\\.)*"|`[^`]*`|[^"`}]|\}(?!\}))*?))\s*(?<trimAfter>(?<=\s)-)?\}\}/gy;
const TOKEN =
  /\s*(?:(?<string>"(?:[^"\\\n]|\\.)*")|(?<raw>`[^`]*`)|(?<number>[-+]?\d+(?![\w.]))|(?<field>\$?(?:\.\w+)+|\$|\.)|(?<word>[A-Za-z_]\w*)|(?<sign>[|()]))/y;

/** Cuts a template into text and actions. @throws TemplateError */
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
    if (groups === undefined) throw new TemplateError(`${near(template, open)} is not closed by }}`);
    found.push({ kind: 'text', text: groups.trimBefore === undefined ? text : text.trimEnd() });
    if (groups.words !== undefined) found.push({ kind: 'action', tokens: tokens(groups.words) });
    trimNext = groups.trimAfter !== undefined;
    at = ACTION.lastIndex;
  }
  return found;
}

function tokens(action: string): readonly Token[] {
  const found: Token[] = [];
  const words = action.trimEnd();
  for (let at = 0; at < words.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const groups = TOKEN.exec(words)?.groups;
    if (groups === undefined) throw new TemplateError(`${near(words, at)} cannot be read`);
    found.push(token(groups));
  }
  return found;
}

function token(groups: Readonly<Record<string, string | undefined>>): Token {
  const { string, raw, number, field, word, sign = '' } = groups;
  if (string !== undefined) return { kind: 'literal', value: unquoted(string) };
  if (raw !== undefined) return { kind: 'literal', value: raw.slice(1, -1) };
  if (number !== undefined) return { kind: 'literal', value: Number(number) };
  if (field !== undefined) return { kind: 'field', text: field };
  if (word !== undefined) return { kind: 'word', text: word };
  return { kind: 'sign', text: sign };
}

/** Of Go's escapes those that JSON has too. */
function unquoted(string: string): string {
  try {
    return JSON.parse(string) as string;
  } catch {
    throw new TemplateError(`${string} has an escape that is not understood`);
  }
}

const near = (text: string, at: number): string => JSON.stringify(text.slice(at, at + 30));
