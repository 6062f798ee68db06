import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../root.ts';

interface LockedPackage {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/**
 * The folders of node_modules that the program needs at run time: all that our dependencies reach. npm's own marks are
 * not enough: a development tool that is also an optional peer dependency (the compiler) is marked as both.
 */
export function productionModules(): string[] {
  const lockfile = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  const reached = new Set<string>();
  const visit = (path: string) => {
    const { dependencies, optionalDependencies } = lockfile.packages[path] ?? {};
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const found = resolve(path, name, lockfile.packages);
      if (found === undefined || reached.has(found)) continue;
      reached.add(found);
      visit(found);
    }
  };
  visit('');
  // A module inside another one is copied with it. Modules for other platforms are not installed.
  return [...reached].filter(
    (path) => path.lastIndexOf('node_modules/') === 0 && existsSync(join(ROOT, path)),
  );
}

/** Node's own search: in the module's folder, then in each parent folder. */
function resolve(
  from: string,
  name: string,
  packages: Readonly<Record<string, unknown>>,
): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const candidate = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (candidate in packages) return candidate;
    if (at === '') return undefined;
  }
}
