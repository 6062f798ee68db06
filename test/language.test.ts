import { describe, expect, it } from 'vitest';
import { describeFinding, findingsIn, retiredWords } from '../scripts/language/retired.ts';
import { longSentences, sentencesIn } from '../scripts/language/sentences.ts';

/** A reader takes in a sentence of this many words at once. */
const MOST_WORDS = 25;

describe('the language of sources and pages', () => {
  it('uses no retired word', () => {
    expect(retiredWords().map(describeFinding)).toEqual([]);
  });

  it.each([
    ['a word on the first line', ['1 word']],
    ['const hostWord = 1;\nconst HOST_WORDS = 2;', ['1 Word', '2 WORDS']],
    ["import './word-list.ts';", ['1 word']],
    ['/**\n * It is the one\n * who takes over.\n */', ['2 the one who']],
    ['function tellsIt(): void', ['1 tells']],
    ['HTTPWord', ['1 Word']],
  ])('%j has findings', (text, expected) => {
    expect(findingsIn(text).map(({ line, found }) => `${line} ${found}`)).toEqual(expected);
  });

  it.each([
    'password, keyword, shoulder',
    'splits a line into shell words',
    'shellWords(line)',
    'at most 25 words',
  ])('%j has none', (text) => {
    expect(findingsIn(text)).toEqual([]);
  });
});

describe('sentences of comments and pages', () => {
  it(`have at most ${MOST_WORDS} words`, () => {
    const long = longSentences(MOST_WORDS);
    expect(long.map(({ file, length, text }) => `${file}: ${length} words: ${text}`)).toEqual([]);
    // It does read them.
    expect(longSentences(20).length).toBeGreaterThan(100);
  });

  it.each([
    ['One. Two: three; four.', ['One.', 'Two:', 'three;', 'four.']],
    ['| a cell | another one |', ['', 'a cell', 'another one', '']],
    ['Runs `a b c` (not here) now.', ['Runs X  now.']],
  ])('%j is taken apart', (text, sentences) => {
    expect(sentencesIn(text)).toEqual(sentences);
  });
});
