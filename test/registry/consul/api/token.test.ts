import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readToken } from '../../../../src/registry/consul/api/token.ts';
import { temporaryFolder } from '../../../support/folder.ts';

it('is the given one without a file, and none without either', () => {
  expect(readToken('given', undefined)).toBe('given');
  expect(readToken(undefined, undefined)).toBeUndefined();
});

it('is read from a file, which takes precedence', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'token');
  await writeFile(file, 'from-file\n');
  expect(readToken('given', file)).toBe('from-file');
});

it.each(['', '\n', 'two\nlines', 'hush hush', 'hush\u0000'])(
  'refuses a file with %j, and shows nothing of it',
  async (text) => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'token');
    await writeFile(file, text);
    expect(() => readToken(undefined, file)).toThrow(
      `--consul-token-file ${file} must contain only the token, on one line`,
    );
  },
);

it('names the file that cannot be read', () => {
  expect(() => readToken(undefined, '/no/such/token')).toThrow(
    /^cannot read --consul-token-file \/no\/such\/token: ENOENT/,
  );
});
