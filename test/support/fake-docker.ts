import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from './folder.ts';

export interface FakeDocker extends AsyncDisposable {
  /** Every command that it was given, a line each. */
  commands(): Promise<readonly string[]>;
}

/**
 * A `docker` first on PATH that answers by shell commands, by the name of its own: `{ run: 'echo c0ffee' }`. A command
 * without one succeeds silently.
 */
export async function fakeDocker(answers: Readonly<Record<string, string>>): Promise<FakeDocker> {
  const folder = await temporaryFolder();
  const [log, path] = [join(folder.path, 'log'), process.env.PATH];
  const cases = Object.entries(answers).map(([name, command]) => `${name}) ${command};;`);
  const script = ['#!/bin/sh', `echo "$*" >> '${log}'`, 'case $1 in', ...cases, 'esac', ''].join('\n');
  const docker = join(folder.path, 'docker');
  await writeFile(docker, script);
  await chmod(docker, 0o755);
  process.env.PATH = `${folder.path}:${path}`;
  return {
    commands: async () => {
      const text = await readFile(log, 'utf8').catch(() => '');
      return text.split('\n').filter(Boolean);
    },
    [Symbol.asyncDispose]: async () => {
      process.env.PATH = path;
      await folder[Symbol.asyncDispose]();
    },
  };
}
