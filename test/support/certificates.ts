import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { succeed } from './program.ts';

/** A certificate authority and what it signed, as files in one folder. */
export interface Certificates {
  readonly ca: string;
  readonly server: { readonly cert: string; readonly key: string };
  /** Named as the docker client wants them in DOCKER_CERT_PATH. */
  readonly client: { readonly cert: string; readonly key: string };
}

/** Makes an authority, a server certificate for these addresses (`IP:10.0.0.1,DNS:name`), and one for a client. */
export async function makeCertificates(folder: string, addresses: string): Promise<Certificates> {
  const [ca, caKey] = [join(folder, 'ca.pem'), join(folder, 'ca-key.pem')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const authority = ['-x509', '-subj', '/CN=heddle-test-authority', '-days', '2'];
  await succeed('openssl', ['req', ...key, ...authority, '-keyout', caKey, '-out', ca]);
  const sign = async (name: string, extensions: string) => {
    const file = (ending: string) => join(folder, `${name}${ending}`);
    await writeFile(file('.ext'), extensions);
    await succeed('openssl', [
      'req',
      ...key,
      '-subj',
      `/CN=${name}`,
      '-keyout',
      file('key.pem'),
      '-out',
      file('.csr'),
    ]);
    const by = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', file('.ext')];
    await succeed('openssl', ['x509', '-req', '-in', file('.csr'), '-out', file('cert.pem'), ...by]);
    return { cert: file('cert.pem'), key: file('key.pem') };
  };
  return {
    ca,
    server: await sign('server-', `subjectAltName=${addresses}\nextendedKeyUsage=serverAuth\n`),
    client: await sign('', 'extendedKeyUsage=clientAuth\n'),
  };
}
