import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = '/sys/fs/cgroup';

/** The control groups of this name: one in each hierarchy (cgroup v1), or a single one (cgroup v2). */
export function cgroupsNamed(name: string): string[] {
  const hierarchies = existsSync(ROOT) ? readdirSync(ROOT, { withFileTypes: true }) : [];
  const roots = [
    ROOT,
    ...hierarchies.filter((entry) => entry.isDirectory()).map((entry) => join(ROOT, entry.name)),
  ];
  return roots.map((root) => join(root, name)).filter((path) => existsSync(path));
}

/** Removes them with all their subgroups. The kernel reports them busy until the last process has fully exited. */
export async function removeCgroups(name: string): Promise<void> {
  for (let left = 100; left > 0 && cgroupsNamed(name).length > 0; left--) {
    for (const path of cgroupsNamed(name)) removeTree(path);
    if (cgroupsNamed(name).length > 0) await sleep(50);
  }
  const left = cgroupsNamed(name);
  if (left.length > 0) throw new Error(`control groups could not be removed: ${left.join(', ')}`);
}

function removeTree(path: string): void {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory()) removeTree(join(path, entry.name));
    }
    rmdirSync(path);
  } catch {
    // busy, or already removed: the caller tries again
  }
}
