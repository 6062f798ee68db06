import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HeddleError, messageOf } from '../errors.ts';

export interface DockerTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** False for DOCKER_TLS without DOCKER_TLS_VERIFY: encrypted, but the engine's name is not checked. */
  readonly verify: boolean;
}

/** @throws HeddleError `bad-input` for a folder without one of the three files */
export function readCertificates(folder: string, verify: boolean): DockerTls {
  try {
    const read = (file: string) => readFileSync(join(folder, file), 'utf8');
    return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem'), verify };
  } catch (cause) {
    throw new HeddleError(
      'bad-input',
      `cannot read Docker's TLS certificates: ${messageOf(cause)}; set DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem`,
      { cause },
    );
  }
}
