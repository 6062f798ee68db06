/**
 * Splits a command as a POSIX shell does (XCU 2.2 Quoting): blanks separate; `'…'`, `"…"` and `\` quote. Nothing is
 * expanded. Undefined if a quote is not closed.
 */
export function shellWords(text: string): string[] | undefined {
  const fields: string[] = [];
  let field: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    const next = text[at + 1];
    if (quote === "'") {
      if (char === quote) quote = '';
      else field += char;
    } else if (char === '\\') {
      if (next === undefined) return undefined;
      // Inside double quotes a backslash is literal except before these characters.
      const literal = quote === '"' && !'$`"\\\n'.includes(next);
      field = (field ?? '') + (literal ? char : '') + (next === '\n' ? '' : next);
      at++;
    } else if (char === quote) {
      quote = '';
    } else if (quote === '' && (char === "'" || char === '"')) {
      quote = char;
      field ??= '';
    } else if (quote === '' && /[ \t\n]/.test(char)) {
      if (field !== undefined) fields.push(field);
      field = undefined;
    } else {
      field = (field ?? '') + char;
    }
  }
  if (quote !== '') return undefined;
  return field === undefined ? fields : [...fields, field];
}
