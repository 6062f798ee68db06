import { readFileSync } from 'node:fs';
import { HeddleError, messageOf } from '../errors.ts';

/** Where the PEM files for `consul-tls://` are. */
export interface TlsFiles {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** Their texts. @throws HeddleError `bad-input` for a file that cannot be read, and for half a pair */
export function readTls(files: TlsFiles): { ca?: string; cert?: string; key?: string } {
  if ((files.cert === undefined) !== (files.key === undefined)) {
    const [given, missing] = files.cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    throw new HeddleError('bad-input', `--consul-${given} needs --consul-${missing} beside it`);
  }
  const named = Object.entries(files).filter((file): file is [string, string] => file[1] !== undefined);
  return Object.fromEntries(named.map(([name, path]) => [name, read(name, path)]));
}

function read(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new HeddleError('bad-input', `cannot read --consul-${name} ${path}: ${messageOf(cause)}`, {
      cause,
    });
  }
}
