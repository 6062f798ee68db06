import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HeddleError, messageOf } from '../../../errors.ts';

/** The paths of the PEM files for `consul-tls://`, and how to verify Consul's certificate. */
export interface TlsSettings {
  readonly ca: string | undefined;
  /** A folder of authorities; ignored if `ca` is set, as by Consul's own client. */
  readonly caPath: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly serverName: string | undefined;
  readonly verify: boolean;
}

/** Options for Node's TLS, in PEM: the authority of Consul's certificate, and our certificate for mutual TLS. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: false;
}

/** @throws HeddleError `bad-input` for an unreadable file, a file not in PEM, and a certificate without its key */
export function readTls({ ca, caPath, cert, key, serverName, verify }: TlsSettings): TlsOptions {
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    throw new HeddleError('bad-input', `--consul-${given} requires --consul-${missing}`);
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

/** Checks the files now: a later handshake would fail with an error number of OpenSSL. */
function refuseUnusable(options: TlsOptions): void {
  for (const name of ['ca', 'cert', 'key'] as const) {
    const text = options[name];
    if (text !== undefined && !text.includes('-----BEGIN ')) {
      throw new HeddleError(
        'bad-input',
        `--consul-${name} is not a PEM file: it does not contain -----BEGIN …`,
      );
    }
  }
  // An import would read every export, among them the certificates of all authorities that Node knows.
  const { createSecureContext } = process.getBuiltinModule('node:tls');
  try {
    createSecureContext(options);
  } catch (cause) {
    const doesNotMatch = /mismatch/i.test(messageOf(cause));
    const why = doesNotMatch ? 'the key does not match the certificate' : 'one of the files is damaged';
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
