import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseResolvConf, Upstreams } from '../../src/dns/upstreams.ts';

test.each([
  ['nameserver 10.0.0.2\nnameserver 10.0.0.3', ['10.0.0.2', '10.0.0.3']],
  ['# comment\n; comment\n#nameserver 10.0.0.9\nnameserver\t10.0.0.2  \r\n', ['10.0.0.2']],
  ['nameserver fd00::53\nnameserver fe80::1%eth0', ['fd00::53', 'fe80::1%eth0']],
  ['nameserver 10.0.0.2\nnameserver 10.0.0.2', ['10.0.0.2']],
  ['nameserver\nnameserver localhost\nnameserver 10.0.0.300\nnameservers 10.0.0.2', []],
  ['search example.com\noptions edns0\ndomain x', []],
  ['', []],
  ['nameserver 10.0.0.1 10.0.0.2', ['10.0.0.1']],
  [
    Array.from({ length: 100 }, (_, index) => `nameserver 10.0.0.${index}`).join('\n'),
    Array.from({ length: 8 }, (_, index) => `10.0.0.${index}`),
  ],
])('resolv.conf %j', (text, servers) => {
  expect(parseResolvConf(text)).toEqual(servers);
});

describe('the resolvers of the host', () => {
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
  const ips = async (upstreams: Upstreams) => (await upstreams.list()).map(({ ip }) => ip);

  beforeEach(async () => {
    [now, lines.length] = [0, 0];
    folder = await mkdtemp(join(tmpdir(), 'heddle-resolv-'));
    path = join(folder, 'resolv.conf');
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('are read again when the file has changed, at most once a second', async () => {
    await writeFile(path, 'nameserver 10.0.0.2');
    const upstreams = open();
    expect(await upstreams.list()).toEqual([{ ip: '10.0.0.2', port: 53 }]);
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
    await upstreams.list();
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
