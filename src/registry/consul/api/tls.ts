import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HeddleError, messageOf } from '../../../errors.ts';

/** Where the PEM files for `consul-tls://` are, and what else is said of its certificate. */
export interface TlsSettings {
  readonly ca: string | undefined;
  /** A folder of authorities; of no account beside `ca`, as with Consul's own client. */
  readonly caPath: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly serverName: string | undefined;
  readonly verify: boolean;
}

/** What Node's TLS is told: PEM texts, the authority's that signed Consul's certificate, and ours for mutual TLS. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: false;
}

/** @throws HeddleError `bad-input` for a file that cannot be read or is no PEM file, and for half a pair */
export function readTls({ ca, caPath, cert, key, serverName, verify }: TlsSettings): TlsOptions {
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    throw new HeddleError('bad-input', `--consul-${given} needs --consul-${missing} beside it`);
  }
  const authorities = ca !== undefined ? read('ca', ca) : readFolder(caPath);
  const options = {
    ...(authorities !== undefined && { ca: authorities }),
    ...(cert !== undefined && { cert: read('cert', cert) }),
    ...(key !== undefined && { key: read('key', key) }),
  };
  refuseUnusable(options);
  return {
    ...options,
    ...(serverName !== undefined && { servername: serverName }),
    ...(!verify && { rejectUnauthorized: false }),
  };
}

/** A later handshake would fail with a number of OpenSSL's. */
function refuseUnusable(options: TlsOptions): void {
  for (const name of ['ca', 'cert', 'key'] as const) {
    const text = options[name];
    if (text !== undefined && !text.includes('-----BEGIN ')) {
      throw new HeddleError('bad-input', `--consul-${name} is no PEM file: expected -----BEGIN … in it`);
    }
  }
  // An import reads all that the module exports: the certificates of every authority that Node knows, for every daemon.
  const { createSecureContext } = process.getBuiltinModule('node:tls');
  try {
    createSecureContext(options);
  } catch (cause) {
    const doesNotMatch = /mismatch/i.test(messageOf(cause));
    const why = doesNotMatch ? 'the key is not that of the certificate' : 'one of the files is damaged';
    throw new HeddleError('bad-input', `--consul-ca, --consul-cert, --consul-key: ${why}`, { cause });
  }
}

function readFolder(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const files = attempt('ca-path', path, () => readdirSync(path, { withFileTypes: true }));
  const texts = files
    .filter((file) => !file.isDirectory())
    .map(({ name }) => read('ca-path', join(path, name)));
  return texts.join('\n');
}

const read = (name: string, path: string): string => attempt(name, path, () => readFileSync(path, 'utf8'));

function attempt<T>(name: string, path: string, reading: () => T): T {
  try {
    return reading();
  } catch (cause) {
    const message = `cannot read --consul-${name} ${path}: ${messageOf(cause)}`;
    throw new HeddleError('bad-input', message, { cause });
  }
}
