import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'rolldown';

const FILE = 'third-party.txt';
/** The folder of a module's package; our own modules and external ones do not match. */
const PACKAGE = /^\/.*\/node_modules\/(?:@[^/]+\/)?[^/]+/;
const LICENSE = /^(licen[cs]e|copying)/i;

/** Writes the licenses of the bundled packages beside the bundle: the licenses require it for every copy. */
export function notices(): Plugin {
  return {
    name: 'notices',
    generateBundle(_, bundle) {
      const modules = Object.values(bundle).flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
      const folders = new Set(modules.flatMap((path) => PACKAGE.exec(path)?.[0] ?? []));
      this.emitFile({ type: 'asset', fileName: FILE, source: [...folders].sort().map(notice).join('\n') });
    },
  };
}

function notice(folder: string): string {
  const { name, version, license, author } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as {
    name: string;
    version: string;
    license: string;
    author?: string | { readonly name: string };
  };
  const texts = readdirSync(folder).filter((file) => LICENSE.test(file));
  const said = texts.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  // Some packages only name their license.
  const holder = typeof author === 'object' ? author.name : (author ?? 'its contributors');
  const text = said.length > 0 ? said : [`Copyright ${holder}; the package holds no text of its license.`];
  return [`== ${name} ${version} (${license})`, ...text, ''].join('\n\n');
}
