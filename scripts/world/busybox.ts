import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Writes a small image's root as a tar: the machine's static busybox under the names of all its applets. */
export function writeBusyboxTar(tar: string): void {
  const busybox = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim();
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  const root = mkdtempSync(join(tmpdir(), 'heddle-busybox-'));
  try {
    for (const folder of ['bin', 'etc', 'root', 'tmp', 'var', 'var/www']) mkdirSync(join(root, folder));
    copyFileSync(busybox, join(root, 'bin/busybox'));
    for (const applet of applets.filter((name) => name !== 'busybox')) {
      symlinkSync('busybox', join(root, 'bin', applet));
    }
    writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n');
    writeFileSync(join(root, 'etc/group'), 'root:x:0:\n');
    execFileSync('tar', ['-C', root, '--owner=0', '--group=0', '-cf', tar, '.']);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Makes an image from a tar, with changes as Dockerfile instructions. No container registry is needed. */
export async function importImage(tar: string, tag: string, changes: readonly string[]): Promise<void> {
  const flags = changes.flatMap((change) => ['--change', change]);
  await promisify(execFile)('docker', ['import', ...flags, tar, tag]);
}
