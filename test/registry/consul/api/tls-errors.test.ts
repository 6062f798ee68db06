import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createPlain } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readText } from '../../../../src/registry/consul/api/answers.ts';
import { ConsulClient, type ConsulClientOptions } from '../../../../src/registry/consul/api/client.ts';
import { tlsProblem } from '../../../../src/registry/consul/api/tls-errors.ts';
import { type TemporaryFolder, temporaryFolder } from '../../../support/folder.ts';

const opensslText = (reason: string) =>
  `write EPROTO 0083E5D2:error:0A00045C:SSL routines:ssl3_read_bytes:${reason}:../deps/openssl/ssl/record/rec_layer_s3.c:1605:SSL alert number 116\n`;
const failed = (code: string, message = code) => Object.assign(new Error(message), { code });

describe('a TLS failure', () => {
  test.each([
    [
      'EPROTO',
      opensslText('tlsv13 alert certificate required'),
      false,
      /^Consul requires a client certificate: set --consul-cert and --consul-key$/,
    ],
    [
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      opensslText('tlsv13 alert certificate required'),
      false,
      /client certificate: set --consul-cert/,
    ],
    [
      'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
      opensslText('sslv3 alert bad certificate'),
      false,
      /client certificate: set --consul-cert/,
    ],
    [
      'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
      opensslText('sslv3 alert handshake failure'),
      false,
      /client certificate: set --consul-cert/,
    ],
    [
      'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
      opensslText('tlsv1 alert unknown ca'),
      true,
      /^Consul refuses the client certificate: is it signed/,
    ],
    [
      'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED',
      opensslText('sslv3 alert certificate expired'),
      true,
      /has expired \(--consul-cert\)/,
    ],
    [
      'ERR_SSL_WRONG_VERSION_NUMBER',
      opensslText('wrong version number'),
      false,
      /^Consul does not use TLS on this port/,
    ],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'x', false, /set --consul-ca$/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'x', false, /set --consul-ca$/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'x', false, /--consul-tls-server-name$/],
    ['CERT_HAS_EXPIRED', 'x', false, /has expired$/],
    ['CERT_NOT_YET_VALID', 'x', false, /clock/],
    ['EPROTO', opensslText('some new reason'), false, /^TLS: some new reason$/],
  ])('%s %#', (code, text, hasCertificate, expected) => {
    const problem = tlsProblem(failed(code, text), { hasCertificate });
    expect(problem).toMatch(expected);
    expect(problem).not.toMatch(/\n|openssl/);
  });

  test.each(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', ''])('%s is no TLS failure', (code) => {
    expect(tlsProblem(failed(code), { hasCertificate: false })).toBeUndefined();
  });
});

describe('over real TLS', () => {
  let folder: TemporaryFolder;
  const servers: { close(): unknown; closeAllConnections(): void }[] = [];
  const pem = (name: string) => readFileSync(`${folder.path}/${name}.pem`, 'utf8');

  beforeAll(async () => {
    folder = await temporaryFolder();
    const subject = ['-subj', '/CN=consul', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject];
    const files = ['-keyout', 'consul-key.pem', '-out', 'consul.pem'];
    execFileSync('openssl', [...request, ...files], { cwd: folder.path, stdio: 'pipe' });
  });

  afterAll(async () => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    await folder[Symbol.asyncDispose]();
  });

  async function portOf(options: ServerOptions | undefined): Promise<number> {
    const answer = (
      _: unknown,
      response: { end(text: string): void; setHeader(key: string, value: string): void },
    ) => {
      response.setHeader('content-type', 'application/json');
      response.end('"127.0.0.1:8300"');
    };
    const server = options ? createServer(options, answer) : createPlain(answer);
    servers.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return (server.address() as AddressInfo).port;
  }

  const leader = (port: number, tls: ConsulClientOptions['tls'] = {}) => {
    const client = new ConsulClient(
      { kind: 'consul', host: '127.0.0.1', port, tls: true },
      { tls, timeout: 5000 },
    );
    return client
      .get({ attempt: 'cannot ask', path: '/status/leader' }, readText)
      .finally(() => client.close());
  };

  test('a Consul that requires a certificate, one of an unknown authority, and one without TLS', async () => {
    const server = { cert: pem('consul'), key: pem('consul-key') };
    const mutual = await portOf({
      ...server,
      requestCert: true,
      rejectUnauthorized: true,
      ca: pem('consul'),
    });
    const says = (message: RegExp) => ({ code: 'unreachable', message: expect.stringMatching(message) });
    const asks = /: Consul requires a client certificate: set --consul-cert and --consul-key$/;
    await expect(leader(mutual, { ca: pem('consul') })).rejects.toMatchObject(says(asks));
    await expect(leader(mutual)).rejects.toMatchObject(
      says(/: Consul's certificate is not signed by a known authority: set --consul-ca$/),
    );
    const plain = await portOf(undefined);
    await expect(leader(plain)).rejects.toMatchObject(says(/: Consul does not use TLS on this port/));
    expect(await leader(await portOf(server), { ca: pem('consul') })).toBe('127.0.0.1:8300');
  });
});
