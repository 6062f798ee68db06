/**
 * Splits a command as a POSIX shell would (XCU 2.2 Quoting): blanks part, `'…'`, `"…"` and `\` quote. Nothing is
 * expanded. Undefined where a quote is not closed.
 */
export function shellWords(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    const next = text[at + 1];
    if (quote === "'") {
      if (char === quote) quote = '';
      else word += char;
    } else if (char === '\\') {
      if (next === undefined) return undefined;
      // Between double quotes a backslash stands for itself, but before these.
      const literal = quote === '"' && !'$`"\\\n'.includes(next);
      word = (word ?? '') + (literal ? char : '') + (next === '\n' ? '' : next);
      at++;
    } else if (char === quote) {
      quote = '';
    } else if (quote === '' && (char === "'" || char === '"')) {
      quote = char;
      word ??= '';
    } else if (quote === '' && /[ \t\n]/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quote !== '') return undefined;
  return word === undefined ? words : [...words, word];
}
