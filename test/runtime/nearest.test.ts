import { expect, test } from 'vitest';
import { didYouMean, nearest } from '../../src/runtime/nearest.ts';

const KNOWN = ['attach', 'detach', 'status', 'ps', 'dns-add', 'dns-args', '--with-dns', '--without-dns'];

test.each([
  ['atach', 'attach'],
  ['attahc', 'attach'],
  ['ATTACH', 'attach'],
  ['--with-dsn', '--with-dns'],
  ['--withdns', '--with-dns'],
  ['statsu', 'status'],
  ['pss', 'ps'],
  ['dns-arg', 'dns-args'],
  ['logs', undefined],
  ['', undefined],
  ['nonsense', undefined],
  ['a'.repeat(100_000), undefined],
])('%s means %s', (text, meant) => {
  expect(nearest(text, KNOWN)).toBe(meant);
});

test('the end of a message names the nearest one, or is empty', () => {
  expect(didYouMean('atach', KNOWN)).toBe(" (did you mean 'attach'?)");
  expect(didYouMean('nonsense', KNOWN)).toBe('');
});
