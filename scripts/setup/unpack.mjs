import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { debianMirror, KEYRING } from './apt-source.mjs';
import { run } from './command.mjs';

/**
 * Downloads and verifies packages of one Debian suite, and unpacks them into a folder. Nothing is installed, and the
 * system's apt stays untouched: lists and downloads have folders of their own. The folder appears only once complete.
 * @param accept checks the unpacked folder, and throws if its programs do not run here
 * @throws Error of apt, dpkg-deb or `accept`
 */
export function unpackPackages({ suite, packages, folder, accept = () => {} }) {
  const mirror = debianMirror();
  mkdirSync(dirname(folder), { recursive: true });
  const work = mkdtempSync(join(dirname(folder), 'unpack-'));
  try {
    const apt = privateApt(work, `deb [signed-by=${KEYRING}] ${mirror} ${suite} main\n`);
    run('apt-get', [...apt, 'update'], { cwd: work });
    run('apt-get', [...apt, 'download', ...packages], { cwd: work });
    const root = join(work, 'root');
    for (const archive of readdirSync(work).filter((name) => name.endsWith('.deb'))) {
      run('dpkg-deb', ['-x', archive, root], { cwd: work });
    }
    accept(root);
    rmSync(folder, { recursive: true, force: true });
    renameSync(root, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** apt's options for a private list of sources, index files and download folder. */
function privateApt(work, source) {
  mkdirSync(join(work, 'lists/partial'), { recursive: true });
  mkdirSync(join(work, 'archives/partial'), { recursive: true });
  writeFileSync(join(work, 'sources.list'), source);
  const settings = {
    'Dir::Etc::SourceList': join(work, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State::Lists': join(work, 'lists'),
    'Dir::Cache': work,
    'Dir::Cache::Archives': join(work, 'archives'),
    // As root, apt would switch to the user _apt, which may not enter this folder, and print a warning.
    'APT::Sandbox::User': 'root',
  };
  return ['-q', ...Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])];
}
