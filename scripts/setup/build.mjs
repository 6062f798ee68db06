import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';
import { ROOT } from './paths.mjs';
import { say } from './say.mjs';

/** The compiler rewrites only files that change, so the time of the last build is kept apart. */
const STAMP = join(ROOT, 'dist/.built');

/** Compiles src/ to dist/ when a source is newer. */
export function ensureBuild() {
  const sources = [
    join(ROOT, 'tsconfig.json'),
    join(ROOT, 'tsconfig.build.json'),
    ...readdirSync(join(ROOT, 'src'), { recursive: true }).map((name) => join(ROOT, 'src', name)),
  ];
  const newest = Math.max(...sources.map((path) => statSync(path).mtimeMs));
  if (existsSync(STAMP) && statSync(STAMP).mtimeMs >= newest) return;
  say('building dist');
  run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], { cwd: ROOT });
  // tsc writes every file with mode 0644
  chmodSync(join(ROOT, 'dist/main.js'), 0o755);
  writeFileSync(STAMP, '');
}
