import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readTls, type TlsSettings } from '../../../../src/registry/consul/api/tls.ts';
import { type Certificates, makeCertificates } from '../../../support/certificates.ts';
import { type TemporaryFolder, temporaryFolder } from '../../../support/folder.ts';

let folder: TemporaryFolder;
let made: Certificates;
const nothing = { ca: undefined, caPath: undefined, cert: undefined, key: undefined, serverName: undefined };
const read = (settings: Partial<TlsSettings>) => readTls({ ...nothing, verify: true, ...settings });

beforeAll(async () => {
  folder = await temporaryFolder();
  made = await makeCertificates(folder.path, 'IP:127.0.0.1');
  await mkdir(join(folder.path, 'cas'));
  await writeFile(join(folder.path, 'text'), 'no certificate');
});
afterAll(() => folder[Symbol.asyncDispose]());

test('converts the settings to options of Node', async () => {
  expect(read({})).toEqual({});
  expect(read({ serverName: 'server.dc1.consul', verify: false })).toEqual({
    servername: 'server.dc1.consul',
    rejectUnauthorized: false,
  });
  expect(read({ ca: made.ca, ...made.client })).toMatchObject({
    ca: expect.stringContaining('BEGIN CERTIFICATE'),
    cert: expect.stringContaining('BEGIN CERTIFICATE'),
    key: expect.stringContaining('PRIVATE KEY'),
  });
});

test('reads a whole folder of authorities, unless --consul-ca is set', async () => {
  const caPath = join(folder.path, 'cas');
  for (const name of ['one.pem', 'two.crt']) {
    await writeFile(join(caPath, name), (read({ ca: made.ca }) as { ca: string }).ca);
  }
  expect(read({ caPath }).ca?.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  expect(read({ caPath: '/no/such', ca: made.ca }).ca?.match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
  expect(() => read({ caPath: '/no/such' })).toThrow(/^cannot read --consul-ca-path \/no\/such: ENOENT/);
});

test('rejects unusable files at the start with a readable message', () => {
  const text = join(folder.path, 'text');
  expect(() => read({ ca: text })).toThrow('--consul-ca is not a PEM file: it does not contain -----BEGIN …');
  const { cert } = made.client;
  expect(() => read({ cert, key: made.server.key })).toThrow(/: the key does not match the certificate$/);
  expect(() => read({ cert })).toThrow('--consul-cert requires --consul-key');
});
