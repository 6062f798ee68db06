import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type OpenRegistry, openRegistry, type RegistrySettings } from '../../../src/registry/open.ts';
import { parseRegistryUri } from '../../../src/registry/uri.ts';
import { silentLogger } from '../../../src/runtime/log.ts';
import { ConsulAgent } from '../../support/consul.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { HOST, PLAIN, serviceOf } from './subjects.ts';

describe('a real agent over TLS', () => {
  const says = (message: RegExp) => ({ code: 'unreachable', message: expect.stringMatching(message) });
  const unknown = says(/: Consul's certificate is not signed by a known authority: set --consul-ca$/);
  const anonymous = says(/: Consul requires a client certificate: set --consul-cert and --consul-key$/);

  test('verifies heddle by its certificate, and is verified by its authority', async () => {
    await using folder = await temporaryFolder();
    const { ca, cert, key } = makeCertificates(folder.path);
    const configuration = `ports { https = 19501 }
      ca_file = "${ca}" cert_file = "${cert}" key_file = "${key}" verify_incoming = true`;
    await using agent = new ConsulAgent({ portOffset: 11_000, configuration });
    await agent.start();
    const settings = { ...PLAIN, registry: parseRegistryUri('consul-tls://127.0.0.1:19501') };
    const registryWith = (files: Partial<RegistrySettings>) => {
      const open = openRegistry({ ...settings, ...files }, { hostId: HOST, log: silentLogger });
      opened.push(open);
      return open.registry;
    };
    const opened: OpenRegistry[] = [];
    const ours = { consulCert: cert, consulKey: key };
    await expect(registryWith({}).ready()).rejects.toMatchObject(unknown);
    await expect(registryWith(ours).ready()).rejects.toMatchObject(unknown);
    await expect(registryWith({ consulCa: ca }).ready()).rejects.toMatchObject(anonymous);
    await expect(registryWith({ consulVerify: false, ...ours }).ready()).resolves.toBeUndefined();
    const registry = registryWith({ consulCa: ca, ...ours });
    await registry.register(serviceOf());
    expect(await registry.list()).toEqual([serviceOf()]);
    for (const open of opened) await open.stop();
  });
});

test('a real agent accepts writes on a unix socket', async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/consul.sock`;
  await using agent = new ConsulAgent({
    portOffset: 11_000,
    configuration: `addresses { http = "127.0.0.1 unix://${path}" }`,
  });
  await agent.start();
  const registry = parseRegistryUri(`consul-unix://${path}`);
  const open = openRegistry({ ...PLAIN, registry }, { hostId: HOST, log: silentLogger });
  await open.registry.register(serviceOf());
  expect(await open.registry.list()).toEqual([serviceOf()]);
  await open.stop();
});

test('a namespace is passed on, and Consul without Enterprise rejects it', async () => {
  await using agent = new ConsulAgent({ portOffset: 11_000 });
  await agent.start();
  const settings = { ...PLAIN, registry: parseRegistryUri(agent.uri), consulNamespace: 'team' };
  const open = openRegistry(settings, { hostId: HOST, log: silentLogger });
  await expect(open.registry.register(serviceOf())).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('amespace'),
  });
  await open.stop();
});

/** Creates an authority and a certificate for 127.0.0.1 signed by it, for client and server. */
function makeCertificates(folder: string): { ca: string; cert: string; key: string } {
  const at = (name: string) => `${folder}/${name}`;
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  openssl('req', '-x509', ...newKey, '-subj', '/CN=authority', '-keyout', at('ca.key'), '-out', at('ca.pem'));
  openssl(
    'req',
    ...newKey.slice(0, -2),
    '-subj',
    '/CN=consul',
    '-keyout',
    at('key.pem'),
    '-out',
    at('request'),
  );
  writeFileSync(at('names'), 'subjectAltName=IP:127.0.0.1\n');
  const signing = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2'];
  openssl('x509', '-req', '-in', at('request'), ...signing, '-extfile', at('names'), '-out', at('cert.pem'));
  return { ca: at('ca.pem'), cert: at('cert.pem'), key: at('key.pem') };
}
