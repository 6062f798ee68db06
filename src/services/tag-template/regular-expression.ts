import type { RE2JS } from 're2js';
import { TemplateError } from './syntax.ts';
import type { Work } from './work.ts';

/** Longer patterns take long to compile; registrator's templates have a word or two. */
const MAX_PATTERN = 512;
/** Patterns can come from containers, so that there is no end to them. */
const MAX_KEPT = 32;

let engine: typeof RE2JS | undefined;
const compiled = new Map<string, RE2JS>();

/** Loads the engine, which is large and hardly ever needed. */
export async function loadRegularExpressions(): Promise<void> {
  engine ??= (await import('re2js')).RE2JS;
}

/**
 * Those of the texts that a pattern matches, in the syntax of RE2, as registrator took it. Its time is linear in the
 * text, whatever the pattern: a backtracking engine can take for ever over forty letters.
 * @throws TemplateError
 */
export function matching(pattern: string, texts: readonly string[], work: Work): string[] {
  const expression = compile(pattern);
  const size = expression.programSize();
  return texts.filter((text) => {
    work.add(size * text.length);
    return expression.test(text);
  });
}

function compile(pattern: string): RE2JS {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  if (pattern.length > MAX_PATTERN) {
    throw new TemplateError(`a regular expression is longer than ${MAX_PATTERN} characters`);
  }
  if (engine === undefined) throw new TemplateError('regular expressions are not loaded yet');
  try {
    const expression = engine.compile(pattern);
    if (compiled.size >= MAX_KEPT) compiled.clear();
    compiled.set(pattern, expression);
    return expression;
  } catch {
    throw new TemplateError(
      `${JSON.stringify(pattern.slice(0, 60))} is no regular expression of RE2's syntax`,
    );
  }
}
