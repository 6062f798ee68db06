import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeCertificates } from '../support/certificates.ts';
import { clearWorld } from '../support/cleanup.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/folder.ts';
import { heddle } from '../support/heddle.ts';
import { type RemoteEngine, startRemoteEngine, THERE } from '../support/remote-engine.ts';

let folder: TemporaryFolder;
let other: TemporaryFolder;
let there: RemoteEngine;

beforeAll(async () => {
  folder = await temporaryFolder();
  other = await temporaryFolder();
  const { ca, server } = await makeCertificates(folder.path, `IP:${THERE}`);
  await makeCertificates(other.path, `IP:${THERE}`);
  there = await startRemoteEngine({
    tls: ['--tlsverify', '--tlscacert', ca, '--tlscert', server.cert, '--tlskey', server.key],
    env: { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder.path },
  });
});
afterAll(async () => {
  await there?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
  await other?.[Symbol.asyncDispose]();
  await clearWorld();
});

const ps = (env: Readonly<Record<string, string | undefined>>) =>
  heddle(['ps'], { env: { ...there.env, HEDDLE_SOCKET: '/nowhere.sock', ...env } });

test('an engine behind TLS is reached with the certificates of DOCKER_CERT_PATH', async () => {
  // That there is no heddle is the engine's own answer: it was reached.
  expect(await ps({})).toMatchObject({
    status: 3,
    stderr: expect.stringMatching(/no heddle serves .*:2376/),
  });
});

test.each([
  ['without TLS', { DOCKER_TLS_VERIFY: '', DOCKER_CERT_PATH: '' }, 1],
  ["with another authority's certificates", () => ({ DOCKER_CERT_PATH: other.path }), 4],
  ['without the files', { DOCKER_CERT_PATH: '/nowhere' }, 2],
])('it refuses a caller %s, in one sentence', async (_, env, status) => {
  const outcome = await ps(typeof env === 'function' ? env() : env);
  expect(outcome).toMatchObject({
    status,
    stdout: '',
    stderr: expect.stringMatching(/^heddle: cannot [^\n]+\n$/),
  });
});
