import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Upstreams } from '../../../src/dns/forward/upstreams.ts';

describe('the resolvers of the host (TestNameservers)', () => {
  let folder: string;
  let path: string;
  let now = 0;
  const lines: string[] = [];
  const log = {
    info: (_fields: unknown, line?: string) => void lines.push(`info ${line}`),
    warn: (line: unknown) => void lines.push(`warn ${line}`),
  };
  const open = (own: readonly string[] = []) =>
    new Upstreams({ isOwn: ({ ip }) => own.includes(ip), log, now: () => now }, path);
  const ips = async (upstreams: Upstreams) => (await upstreams.current()).servers.map(({ ip }) => ip);

  beforeEach(async () => {
    [now, lines.length] = [0, 0];
    folder = await mkdtemp(join(tmpdir(), 'heddle-resolv-'));
    path = join(folder, 'resolv.conf');
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('are read again when the file has changed, at most once a second', async () => {
    await writeFile(path, 'nameserver 10.0.0.2');
    const upstreams = open();
    expect((await upstreams.current()).servers).toEqual([{ ip: '10.0.0.2', port: 53 }]);
    await writeFile(join(folder, 'new'), 'nameserver 10.0.0.33');
    await rename(join(folder, 'new'), path);
    now = 999;
    expect(await ips(upstreams)).toEqual(['10.0.0.2']);
    now = 1_000;
    expect(await ips(upstreams)).toEqual(['10.0.0.33']);
  });

  test('are never ourselves', async () => {
    await writeFile(path, 'nameserver 172.17.0.1\nnameserver 10.0.0.2');
    expect(await ips(open(['172.17.0.1']))).toEqual(['10.0.0.2']);
  });

  test('stay the last known ones while the file cannot be read, which is said once', async () => {
    await writeFile(path, 'nameserver 10.0.0.2');
    const upstreams = open();
    await upstreams.current();
    await rm(path);
    for (now = 1_000; now < 5_000; now += 1_000) expect(await ips(upstreams)).toEqual(['10.0.0.2']);
    expect(lines.filter((line) => line.startsWith('warn'))).toEqual([
      expect.stringContaining(`cannot read ${path}: ENOENT`),
    ]);
    await writeFile(path, 'nameserver 10.0.0.3');
    expect(await ips(upstreams)).toEqual(['10.0.0.3']);
  });

  test('are none where there never was a file', async () => {
    expect(await ips(open())).toEqual([]);
  });
});
