import { expect, test } from 'vitest';
import { ROOT } from '../scripts/root.ts';
import { succeed } from './support/program.ts';

test('the daemon loads neither undici nor what only builds and ssh need', async () => {
  const script = `
    await import('${ROOT}/src/heddle.ts');
    const { loadDockerode } = await import('${ROOT}/src/docker/load.ts');
    await loadDockerode({ kind: 'unix', path: '/run/docker.sock' });
    const files = Object.keys(process.getBuiltinModule('module')._cache);
    const unneeded = /undici\\/undici|node_modules\\/(@grpc|protobufjs|ssh2)\\//;
    console.log(JSON.stringify([...process.moduleLoadList, ...files].filter((name) => unneeded.test(name))));`;
  const loaded = await succeed(process.execPath, ['--input-type=module', '--eval', script], {
    env: { NODE_OPTIONS: '' },
  });
  expect(JSON.parse(loaded)).toEqual([]);
});
