import type { RE2JS } from 're2js';
import { TemplateError } from './syntax.ts';
import type { WorkBudget } from './work-budget.ts';

/** Longer patterns take long to compile; the patterns of registrator's templates are short. */
const MAX_PATTERN = 512;
/** Bounds the cache, because patterns can come from containers. */
const MAX_KEPT = 32;

let engine: typeof RE2JS | undefined;
const compiled = new Map<string, RE2JS>();

/** Loads the engine on demand: it is large and rarely needed. */
export async function loadRegularExpressions(): Promise<void> {
  engine ??= (await import('re2js')).RE2JS;
}

/**
 * The texts that a pattern matches, in RE2's syntax as in registrator. The time is linear in the text for every pattern:
 * a backtracking engine can take practically forever on forty letters.
 * @throws TemplateError
 */
export function matching(pattern: string, texts: readonly string[], work: WorkBudget): string[] {
  const expression = compile(pattern);
  const size = expression.programSize();
  return texts.filter((text) => {
    work.add(size * text.length);
    return expression.test(text);
  });
}

function compile(pattern: string): RE2JS {
  const cached = compiled.get(pattern);
  if (cached !== undefined) return cached;
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
      `${JSON.stringify(pattern.slice(0, 60))} is not a regular expression in RE2's syntax`,
    );
  }
}
