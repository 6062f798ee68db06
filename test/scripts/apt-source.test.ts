import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { deb822Entries, debianMirror, listEntries } from '../../scripts/setup/apt-source.mjs';
import { temporaryFolder } from '../support/folder.ts';

describe('one-line sources', () => {
  test.each([
    ['deb http://mirror.example/debian bookworm main', ['http://mirror.example/debian'], ['main']],
    [
      'deb [signed-by=/a/b arch=amd64] https://m/debian bookworm main contrib # ours',
      ['https://m/debian'],
      ['main', 'contrib'],
    ],
    ['  deb\tfile:/srv/mirror\tbookworm\tmain', ['file:/srv/mirror'], ['main']],
  ])('%s', (line, uris, components) => {
    expect(listEntries(line)).toEqual([{ uris, suites: ['bookworm'], components }]);
  });

  test.each([
    '# deb http://m/debian bookworm main',
    'deb-src http://m/debian bookworm main',
    'deb cdrom:[x]/ bookworm main',
    '',
  ])('not an entry to fetch from: %s', (line) => expect(listEntries(line)).toEqual([]));
});

describe('deb822 sources', () => {
  const debian = `Types: deb
# a comment in the middle
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`;

  test('each paragraph is an entry, comments are ignored, values may continue on further lines', () => {
    const other =
      'Types: deb deb-src\nURIs: https://a/x\n https://b/x\nSuites: sid\nComponents: main\n  contrib\n';
    expect(deb822Entries(`${debian}\n\n${other}`)).toEqual([
      {
        uris: ['http://mirror.example/debian'],
        suites: ['bookworm', 'bookworm-updates'],
        components: ['main'],
      },
      { uris: ['https://a/x', 'https://b/x'], suites: ['sid'], components: ['main', 'contrib'] },
    ]);
  });

  test.each([
    ['switched off', `Enabled: no\n${debian}`],
    ['sources only', debian.replace('Types: deb', 'Types: deb-src')],
    ['empty', ''],
  ])('no entry to fetch from: %s', (_, text) => expect(deb822Entries(text)).toEqual([]));
});

describe("the machine's own mirror", () => {
  async function mirrorWith(files: Readonly<Record<string, string>>): Promise<string | undefined> {
    await using etc = await temporaryFolder();
    await mkdir(join(etc.path, 'sources.list.d'));
    for (const [name, text] of Object.entries(files)) await writeFile(join(etc.path, name), text);
    return debianMirror('bookworm', etc.path);
  }

  test('is the mirror of the suite itself, not of its security updates or of other packages', async () => {
    const files = {
      'sources.list': 'deb http://security/debian-security bookworm-security main\n',
      'sources.list.d/a.list': 'deb https://elsewhere/apt cloud-sdk-bookworm main\n',
      'sources.list.d/debian.sources':
        'Types: deb\nURIs: http://mirror/debian\nSuites: bookworm\nComponents: main\n',
    };
    expect(await mirrorWith(files)).toBe('http://mirror/debian');
  });

  test('is unknown if no source names the suite with the component main', async () => {
    expect(await mirrorWith({ 'sources.list': 'deb http://m/debian bookworm contrib\n' })).toBeUndefined();
    expect(await mirrorWith({})).toBeUndefined();
  });
});
