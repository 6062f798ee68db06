import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../root.ts';

/** Words and phrases that the project no longer uses, and what to write instead. */
const RETIRED: readonly (readonly [RegExp, instead: string])[] = [
  [/words?/, 'command, argument, term or text'],
  [/told|tells?|untold/, 'report, state, pass or distinguish'],
  [/heard|hears?|misheard/, 'receive, learn or stale'],
  [/nobody|somebody|whoever|whose ever/, 'a noun: client, owner, caller, process'],
  [/the one who|be it/, 'a noun, or "even if"'],
  [/stranded|reaped/, 'stale or deregistered'],
  [/onlookers?|surroundings/, 'observer; host or environment'],
  [/withheld/, 'not registered'],
  [/entrust(?:s|ed|ing)?/, 'register or hand over'],
  [/forg(?:iv(?:es?|ing|en)|ave)/, 'retry or ignore'],
  [/pointless/, 'ignored or without effect'],
  [/thus|hence|whence/, 'so, therefore, from which'],
];

/** Where a retired word is the standard term. Compared without regard to case, and with identifiers taken apart. */
const ALLOWED: readonly RegExp[] = [
  // POSIX's term for what a shell passes on as one argument.
  /shell words?/,
  // The length of a text.
  /\d+ words/,
  // The path of the control protocol, which daemons and clients of earlier versions use.
  /(?<=\/)word(?=[`'])/,
  // The key of a policy term in JSON, which scripts read.
  /word(?=: term|`\. \*\/)/,
  // The contact in unbound's SOA record, which heddle copies.
  /nobody\.invalid/,
];

const PLACES = ['src/**/*.ts', 'docs/**/*.md', 'README.md', 'CHANGELOG.md', 'CONTRIBUTING.md'];

/** A retired word or phrase in a file, or in its name. */
export interface Finding {
  readonly file: string;
  /** Zero for the name of the file. */
  readonly line: number;
  readonly found: string;
  readonly instead: string;
}

/** @returns every use of a retired word in sources and pages, in the order of files and lines */
export function retiredWords(): readonly Finding[] {
  const files = globSync(PLACES, { cwd: ROOT }).toSorted();
  return files.flatMap((file) => [
    ...findingsIn(file).map((finding) => ({ file, ...finding, line: 0 })),
    ...findingsIn(readFileSync(join(ROOT, file), 'utf8')).map((finding) => ({ file, ...finding })),
  ]);
}

/** The findings in one text, with lines counted from 1. */
export function findingsIn(text: string): readonly Omit<Finding, 'file'>[] {
  const parted = takeIdentifiersApart(text);
  const allowed = matchesOf(parted, ALLOWED);
  return RETIRED.flatMap(([pattern, instead]) =>
    matchesOf(parted, [pattern])
      .filter(({ start, end }) => !allowed.some((phrase) => phrase.start <= start && end <= phrase.end))
      .map(({ start, found }) => ({ line: lineAt(parted, start), found, instead })),
  ).toSorted((one, other) => one.line - other.line);
}

/** One finding on a line of its own, as compilers print them. */
export const describeFinding = ({ file, line, found, instead }: Finding): string =>
  `${file}${line === 0 ? ' (file name)' : `:${line}`}: "${found}"; write ${instead}`;

/** `hostWord`, `host_word` and `host-word` become `host word`. Line breaks stay, so that lines can be counted. */
const takeIdentifiersApart = (text: string): string =>
  text.replace(/([\p{Ll}\d])(\p{Lu})|(\p{Lu})(?=\p{Lu}\p{Ll})/gu, '$1$3 $2').replace(/[-_]/g, ' ');

/** Between two words of a phrase: spaces, or a line break and the start of the next line of a comment. */
const GAP = '[\\s*/]+';

function matchesOf(text: string, patterns: readonly RegExp[]) {
  return patterns.flatMap(({ source }) => {
    const pattern = new RegExp(`(?<![\\p{L}\\d])(?:${source.replaceAll(' ', GAP)})(?![\\p{L}\\d])`, 'giu');
    return Array.from(text.matchAll(pattern), ({ index, 0: found }) => ({
      start: index,
      end: index + found.length,
      found: found.replace(/[\s*/]+/g, ' '),
    }));
  });
}

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;
