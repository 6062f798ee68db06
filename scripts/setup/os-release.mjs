import { existsSync, readFileSync } from 'node:fs';

/** The fields of /etc/os-release. */
export function osRelease() {
  if (!existsSync('/etc/os-release')) return {};
  const pairs = readFileSync('/etc/os-release', 'utf8').matchAll(/^(\w+)=(.*)$/gm);
  return Object.fromEntries([...pairs].map(([, key, value]) => [key, value.replaceAll('"', '')]));
}
