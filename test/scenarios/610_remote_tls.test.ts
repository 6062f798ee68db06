import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeCertificates } from '../support/certificates.ts';
import { clearWorld } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/folder.ts';
import { heddle } from '../support/heddle.ts';
import { buildImage } from '../support/image.ts';
import { type RemoteEngine, startRemoteEngine, THERE } from '../support/remote-engine.ts';

let folder: TemporaryFolder;
let other: TemporaryFolder;
let there: RemoteEngine;
let image: string;

beforeAll(async () => {
  image = await buildImage();
  folder = await temporaryFolder();
  other = await temporaryFolder();
  const { ca, server } = await makeCertificates(folder.path, `IP:${THERE}`);
  await makeCertificates(other.path, `IP:${THERE}`);
  there = await startRemoteEngine({
    tls: ['--tlsverify', '--tlscacert', ca, '--tlscert', server.cert, '--tlskey', server.key],
    env: { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder.path },
  });
  await there.load('busybox');
}, 240_000);
afterAll(async () => {
  await there?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
  await other?.[Symbol.asyncDispose]();
  await clearWorld();
});

const command = (args: readonly string[], env: Readonly<Record<string, string | undefined>> = {}) =>
  heddle(args, { env: { ...there.env, HEDDLE_SOCKET: '/nowhere.sock', HEDDLE_IMAGE: image, ...env } });
const done = (stdout: unknown) => ({ status: 0, stdout, stderr: '' });
const anId = expect.stringMatching(/^[0-9a-f]{64}\n$/);

test('an engine behind TLS is reached with the certificates of DOCKER_CERT_PATH', async () => {
  // The error about a missing heddle proves that the engine was reached.
  expect(await command(['ps'])).toMatchObject({
    status: 3,
    stderr: expect.stringMatching(/no heddle serves .*:2376/),
  });
});

test('behind TLS commands work as elsewhere: launch, run, attach, ps, status, stop', async () => {
  expect(await command(['launch', '--load', '--dns-listen', there.ip])).toEqual(done(anId));
  const docker = ['--name', 'far', '-e', 'SERVICE_NAME=far', 'busybox', 'sleep', '600'];
  expect(await command(['run', '--with-dns', '10.2.1.1/16', ...docker])).toEqual(done(anId));
  expect(await command(['attach', '10.2.1.9/16', 'far'])).toEqual(done('10.2.1.9\n'));
  const inside = await there.docker('exec', 'far', 'ip', '-o', '-4', 'address', 'show', 'ethwe');
  expect(inside).toMatch(/10\.2\.1\.1\/16.*10\.2\.1\.9\/16/s);
  await eventually(async () =>
    expect(await there.docker('exec', 'far', 'nslookup', 'far.service.dc1.consul')).toContain('10.2.1.1'),
  );
  expect(await command(['ps'])).toEqual(done(expect.stringMatching(/far .*10\.2\.1\.1\/16/)));
  expect(await command(['status'])).toEqual(done(expect.stringMatching(/Containers: 2 running/)));
  expect(await command(['stop'])).toEqual(done(''));
  expect(await there.docker('ps', '--format', '{{.Names}}')).toBe('far');
});

test.each([
  ['without TLS', { DOCKER_TLS_VERIFY: '', DOCKER_CERT_PATH: '' }, 1],
  ["with another authority's certificates", () => ({ DOCKER_CERT_PATH: other.path }), 4],
  ['without the files', { DOCKER_CERT_PATH: '/nowhere' }, 2],
])('it refuses a client %s, in one sentence', async (_, env, status) => {
  const outcome = await command(['ps'], typeof env === 'function' ? env() : env);
  expect(outcome).toMatchObject({
    status,
    stdout: '',
    stderr: expect.stringMatching(/^heddle: cannot [^\n]+\n$/),
  });
});
