import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { osRelease } from './os-release.mjs';

/** The key of Debian's archive, which verifies everything that is fetched. */
export const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Why nothing can be fetched from Debian here, as the beginning of a message; undefined if it can. */
export function mirrorRefusal() {
  if (osRelease().ID !== 'debian') return 'this is not Debian';
  if (!existsSync(KEYRING)) return `${KEYRING} is absent (package debian-archive-keyring)`;
  if (debianMirror() === undefined) return 'the apt sources of this machine name no Debian mirror';
  return undefined;
}

/**
 * The mirror of this machine's Debian packages: the first entry of its apt sources for this suite (`bookworm`) with the
 * component `main`, in either of apt's two formats. Undefined if there is none.
 */
export function debianMirror(codename = osRelease().VERSION_CODENAME, etc = '/etc/apt') {
  const parts = join(etc, 'sources.list.d');
  const files = [
    join(etc, 'sources.list'),
    ...(existsSync(parts) ? readdirSync(parts).sort() : []).map((name) => join(parts, name)),
  ].filter((path) => existsSync(path));
  for (const path of files) {
    const text = readFileSync(path, 'utf8');
    const entries = path.endsWith('.sources') ? deb822Entries(text) : listEntries(text);
    const own = entries.find((entry) => entry.suites.includes(codename) && entry.components.includes('main'));
    if (own !== undefined) return own.uris[0];
  }
  return undefined;
}

/** `deb [options] uri suite component...` */
export function listEntries(text) {
  return text
    .split('\n')
    .map((line) => /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line))
    .filter((match) => match !== null)
    .map(([, uri, suite, components]) => ({
      uris: [uri],
      suites: [suite],
      components: components.trim().split(/\s+/),
    }))
    .filter(isReachable);
}

/** Paragraphs of `Key: value`, continued by indented lines; a line that starts with # is a comment anywhere. */
export function deb822Entries(text) {
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  return lines
    .join('\n')
    .split(/\n\s*\n/)
    .map((paragraph) => {
      const fields = {};
      for (const [, key, value] of paragraph.matchAll(/^([\w-]+):(.*(?:\n[ \t].*)*)/gm)) {
        fields[key.toLowerCase()] = value.trim().split(/\s+/);
      }
      return fields;
    })
    .filter((fields) => fields.types?.includes('deb') && fields.enabled?.[0] !== 'no')
    .map(({ uris = [], suites = [], components = [] }) => ({ uris, suites, components }))
    .filter(isReachable);
}

function isReachable({ uris }) {
  return /^(https?|file):/.test(uris[0] ?? '');
}
