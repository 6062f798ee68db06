import { describe, expect, it } from 'vitest';
import { describeFinding, findingsIn, retiredWords } from '../scripts/language/retired.ts';

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
