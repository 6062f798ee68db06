import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../root.ts';

const SOURCES = ['src/**/*.ts', 'scripts/**/*.{ts,mjs}'];
const PAGES = ['*.md', 'docs/**/*.md'];
/** A block comment, or lines of comment below each other. */
const COMMENT = /\/\*\*?([\s\S]*?)\*\/|((?:^[ \t]*\/\/.*\n)+)/gm;
const CODE_BLOCK = /```[\s\S]*?```/g;

export interface Sentence {
  readonly file: string;
  readonly text: string;
  readonly length: number;
}

/**
 * The sentences of comments and pages with more words than `most`. Code and what stands in brackets do not count; a
 * semicolon, a colon and the edge of a table's cell end a sentence.
 */
export function longSentences(most: number): readonly Sentence[] {
  const inSources = globSync(SOURCES, { cwd: ROOT }).flatMap((file) =>
    commentsIn(readFileSync(join(ROOT, file), 'utf8')).map((text) => ({ file, text })),
  );
  const inPages = globSync(PAGES, { cwd: ROOT }).flatMap((file) =>
    paragraphsIn(readFileSync(join(ROOT, file), 'utf8')).map((text) => ({ file, text })),
  );
  return [...inSources, ...inPages].flatMap(({ file, text }) =>
    sentencesIn(text)
      .map((sentence) => ({ file, text: sentence, length: sentence.split(/\s+/).length }))
      .filter(({ length }) => length > most),
  );
}

/** Tags such as `@throws` begin a text of their own: a list of codes is no sentence. */
const commentsIn = (source: string): readonly string[] =>
  Array.from(source.matchAll(COMMENT), ([, block, lines]) =>
    (block ?? lines ?? '')
      .replace(/^\s*(\*|\/\/)\s?/gm, '')
      .replace(/\n(?!\n)/g, ' ')
      .replace(/@(?:throws|param|returns?)\b[\s\S]*/, ''),
  );

const paragraphsIn = (page: string): readonly string[] =>
  page
    .replace(CODE_BLOCK, '')
    .replace(/\n(?=[a-z])/g, ' ')
    .split('\n');

export const sentencesIn = (text: string): readonly string[] =>
  text
    .replace(/`[^`]*`/g, 'X')
    .replace(/\([^)]*\)/g, '')
    .split(/(?<=[.!?:;])\s+|\n\n|\|/)
    .map((sentence) => sentence.trim());
