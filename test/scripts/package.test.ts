import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../scripts/root.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/folder.ts';
import { runProgram, succeed } from '../support/program.ts';

/** The content of a clone; npm has to build dist. */
const CLONE = [
  ...['package.json', 'package-lock.json', 'rolldown.config.ts', 'README.md', 'LICENSE', 'CHANGELOG.md'],
  ...['bin', 'src', 'scripts', 'examples'],
];
const MINUTES = 60_000;

let folder: TemporaryFolder;
let files: readonly string[];
const tarball = () => join(folder.path, 'heddle-0.1.0.tgz');

/** npm as a user runs it: without the settings that `npm test` has set for itself. */
const npm = (cwd: string, ...words: readonly string[]) => {
  const own = Object.keys(process.env).filter((name) => /^npm_/i.test(name));
  const env = Object.fromEntries(own.map((name) => [name, undefined]));
  return succeed('npm', words, { cwd, env, timeout: 5 * MINUTES });
};

beforeAll(async () => {
  folder = await temporaryFolder();
  const clone = join(folder.path, 'clone');
  await mkdir(clone);
  for (const name of CLONE) await cp(join(ROOT, name), join(clone, name), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
  await npm(clone, 'pack', '--pack-destination', folder.path);
  files = (await succeed('tar', ['-tzf', tarball()])).split('\n').map((name) => name.replace('package/', ''));
}, 5 * MINUTES);
afterAll(() => folder[Symbol.asyncDispose]());

test('npm pack in a clone without dist builds it, and does not ship the set-up', () => {
  expect(files).toEqual(
    expect.arrayContaining([
      ...['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'bin/heddle'],
      ...['dist/main.js', 'dist/here.js', 'dist/ask.js', 'dist/third-party.txt'],
      ...['examples/compose/compose.yml', 'examples/systemd/heddle.service'],
    ]),
  );
  expect(files.filter((name) => /^dist\/\.|\.map$|^(src|test|scripts|node_modules)\//.test(name))).toEqual(
    [],
  );
});

test('the package describes itself and its platform, and cannot be published by mistake', async () => {
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Record<string, unknown>;
  expect(manifest).toMatchObject({
    private: true,
    os: ['linux'],
    license: 'Apache-2.0',
    keywords: expect.arrayContaining(['docker', 'dns', 'consul', 'weave', 'registrator']),
    engines: { node: '>=22.20' },
  });
});

test(
  'the package is installed in an empty folder, and runs there',
  async () => {
    const empty = join(folder.path, 'empty');
    await mkdir(empty);
    await npm(empty, 'install', '--prefer-offline', '--no-audit', '--no-fund', tarball());
    const heddle = (...words: readonly string[]) =>
      runProgram(join(empty, 'node_modules/.bin/heddle'), words, {
        cwd: empty,
        env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' },
      });
    expect(await heddle('version')).toEqual({ status: 0, stdout: 'heddle 0.1.0\n', stderr: '' });
    expect((await heddle('--help')).stdout).toMatch(/^Usage: heddle/);
    expect(await heddle('ps')).toMatchObject({ status: 4, stderr: expect.stringMatching(/nowhere/) });
  },
  5 * MINUTES,
);
