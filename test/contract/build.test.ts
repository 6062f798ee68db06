import { globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../scripts/root.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/folder.ts';
import { startDaemon } from '../support/heddle.ts';

/** The program as it is built and shipped. */

test('the program contains its libraries and their licenses, except those that only builds and ssh need', () => {
  const notices = readFileSync(join(ROOT, 'dist/third-party.txt'), 'utf8').split(/^== /m).slice(1);
  const packages = notices.map((notice) => notice.split(' ')[0]);
  expect(packages).toEqual(
    expect.arrayContaining(['consul', 'dns-packet', 'docker-modem', 'dockerode', 'yaml']),
  );
  expect(packages.filter((name) => /^(@grpc|protobufjs|ssh2|koffi)/.test(name ?? ''))).toEqual([]);
  for (const notice of notices) {
    const text = notice.slice(notice.indexOf('\n'));
    expect(text, notice.slice(0, 80)).toMatch(
      /permission|Apache License|Blue Oak|holds no text of its license/i,
    );
  }
});

const built = globSync('dist/*.js', { cwd: ROOT }).map((file) => readFileSync(join(ROOT, file), 'utf8'));

test('the oldest supported Node can read all of it', () => {
  // Node 22 has no explicit resource management, which src is full of.
  expect(built.filter((text) => /^\s*(await )?using \w+ =/m.test(text))).toEqual([]);
  expect(built.join('')).toContain('Symbol.asyncDispose');
});

test('the program needs only koffi of node_modules', () => {
  const from = built.flatMap((text) => [
    ...text.matchAll(/^import .*?from "([^"]+)";|import\("([^"]+)"\)|__require\("([^"]+)"\)/gm),
  ]);
  const packages = from
    .map(([, direct, lazy, common]) => direct ?? lazy ?? common ?? '')
    .filter((name) => !name.startsWith('.'));
  // `debug` works without that package, which only colours its lines.
  const foreign = packages.filter((name) => !isBuiltin(name) && name !== 'supports-color');
  expect(new Set(foreign)).toEqual(new Set(['koffi']));
  expect(packages.length).toBeGreaterThan(50);
});

test('the daemon does not load undici', async () => {
  await using folder = await temporaryFolder();
  const report = join(folder.path, 'loaded.json');
  const script = `
    import { writeFileSync } from 'node:fs';
    process.on('exit', () => writeFileSync('${report}', JSON.stringify(process.moduleLoadList)));`;
  const options = `--import=data:text/javascript,${encodeURIComponent(script)}`;
  // Nothing answers there, but the client has been loaded all the same.
  const nowhere = `unix://${join(folder.path, 'docker.sock')}`;
  await using daemon = await startDaemon([], { NODE_OPTIONS: options, DOCKER_HOST: nowhere });
  await eventually(() => expect(daemon.log.map(({ msg }) => msg)).toContain('ready'));
  await daemon.stop();
  const loaded = JSON.parse(readFileSync(report, 'utf8')) as string[];
  expect(loaded).toContain('NativeModule http');
  expect(loaded.filter((name) => /undici\/undici/.test(name))).toEqual([]);
});
