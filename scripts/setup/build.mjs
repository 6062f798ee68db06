import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';
import { ROOT } from './paths.mjs';
import { say } from './say.mjs';

const PROGRAM = join(ROOT, 'dist/main.js');

/** Builds dist/ from src/ if a source or a library is newer. */
export function ensureBuild() {
  const sources = [
    ...['rolldown.config.ts', 'scripts/build/notices.ts', 'package.json'].map((name) => join(ROOT, name)),
    join(ROOT, 'node_modules/.package-lock.json'),
    ...readdirSync(join(ROOT, 'src'), { recursive: true }).map((name) => join(ROOT, 'src', name)),
  ];
  const newest = Math.max(...sources.map((path) => statSync(path).mtimeMs));
  if (existsSync(PROGRAM) && statSync(PROGRAM).mtimeMs >= newest) return;
  say('building dist');
  // By its path: the system's own Node may be too old for rolldown.
  run(join(ROOT, 'node_modules/node/bin/node'), [join(ROOT, 'node_modules/.bin/rolldown'), '-c'], {
    cwd: ROOT,
  });
}
