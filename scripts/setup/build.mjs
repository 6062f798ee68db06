import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';
import { ROOT } from './paths.mjs';
import { say } from './say.mjs';

const PROGRAM = join(ROOT, 'dist/main.js');

/** Makes dist/ of src/ when a source, or a library, is newer. */
export function ensureBuild() {
  const sources = [
    ...['rolldown.config.ts', 'scripts/build/notices.ts', 'package.json'].map((name) => join(ROOT, name)),
    join(ROOT, 'node_modules/.package-lock.json'),
    ...readdirSync(join(ROOT, 'src'), { recursive: true }).map((name) => join(ROOT, 'src', name)),
  ];
  const newest = Math.max(...sources.map((path) => statSync(path).mtimeMs));
  if (existsSync(PROGRAM) && statSync(PROGRAM).mtimeMs >= newest) return;
  say('building dist');
  // By name, or it would run on the system's own Node, which may be too old for it.
  run(join(ROOT, 'node_modules/node/bin/node'), [join(ROOT, 'node_modules/.bin/rolldown'), '-c'], {
    cwd: ROOT,
  });
}
