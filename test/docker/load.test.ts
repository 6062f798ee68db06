import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { loadDockerode } from '../../src/docker/load.ts';

test('dockerode comes without what builds and ssh need, and is whole otherwise', async () => {
  const Client = await loadDockerode();
  const loaded = Object.keys(createRequire(import.meta.url).cache);
  expect(loaded.some((path) => path.includes('/docker-modem/'))).toBe(true);
  expect(loaded.filter((path) => /node_modules\/(@grpc|protobufjs|ssh2)\//.test(path))).toEqual([]);
  await expect(new Client({ socketPath: '/nowhere/docker.sock' }).version()).rejects.toThrow('ENOENT');
  const { Client: Ssh } = createRequire(import.meta.url)('ssh2') as { Client: unknown };
  expect(Ssh, 'ssh2 for whoever asks later').toBeTypeOf('function');
});
