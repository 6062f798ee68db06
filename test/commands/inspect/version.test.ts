import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { run } from '../../../src/cli/cli.ts';
import { ControlServer } from '../../../src/control/server.ts';
import { collect } from '../../../src/runtime/io.ts';
import { silentLogger } from '../../../src/runtime/log.ts';
import { VERSION } from '../../../src/version.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/folder.ts';

let folder: TemporaryFolder;
let server: ControlServer | undefined;
const socket = () => join(folder.path, 'heddle.sock');

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await server?.stop();
  await folder[Symbol.asyncDispose]();
});

async function serve(version: string): Promise<void> {
  const engine = async () => ({ engine: 'E', address: 'unix:///docker.sock', version, pid: 7 });
  const needs = { run: async () => 0, engine, handOver: async () => () => {}, log: silentLogger };
  server = new ControlServer(needs, { path: socket() });
  await server.start();
}

async function printed(line: string, env: Record<string, string> = {}): Promise<string> {
  const [stdout, stderr] = [collect(), collect()];
  expect(await run(line.split(' '), { stdout, stderr }, { HEDDLE_SOCKET: socket(), ...env })).toBe(0);
  return stdout.text + stderr.text;
}

it('is only this program’s if no daemon answers', async () => {
  expect(await printed('version')).toBe(`heddle ${VERSION}\n`);
  expect(JSON.parse(await printed('version --format json'))).toMatchObject({ daemon: null });
});

it('includes the version of the daemon', async () => {
  await serve(VERSION);
  expect(await printed('version')).toBe(`heddle ${VERSION}\ndaemon ${VERSION}\n`);
  expect(JSON.parse(await printed('version --format json'))).toMatchObject({
    version: VERSION,
    daemon: { version: VERSION, pid: 7 },
  });
});

it('reports that the daemon has another version', async () => {
  await serve('0.0.9');
  expect(await printed('version')).toBe(
    `heddle ${VERSION}\ndaemon 0.0.9, another version than this program\n`,
  );
});

it('does not depend on valid settings', async () => {
  expect(await printed('version', { HEDDLE_MTU: 'big' })).toBe(`heddle ${VERSION}\n`);
});
