/** The words of a simple shell line: blanks part them, single quotes keep them together. */
export const shellWords = (line: string): readonly string[] =>
  Array.from(line.matchAll(/(?:'[^']*'|[^\s'])+/g), ([word]) => word.replaceAll("'", ''));
