import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../../scripts/root.ts';
import { editHostsFile } from '../../src/hosts-file/container-file.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/folder.ts';
import { BIND, mountHosts } from '../support/hosts-mount.ts';
import { containerId } from '../support/snapshot.ts';

/** What only a real kernel can test: the path to a container's /etc/hosts through folders that are the container's. */
/** asm-generic/fcntl.h */
const [F_RDLCK, F_WRLCK] = [0, 1];
const LEASE = `
  import { openSync } from 'node:fs';
  import koffi from 'koffi';
  const [path, lease] = process.argv.slice(1);
  process.on('SIGIO', () => {});
  const fcntl = koffi.load(null).func('int fcntl(int, int, long)');
  if (fcntl(openSync(path, lease === '0' ? 'r' : 'r+'), 1024, Number(lease)) < 0) throw new Error('no lease');
  console.log('held');
  setInterval(() => {}, 1000);
`;

let folder: TemporaryFolder;
const append = (text: string): string => `${text}10.2.1.1 web\n`;

beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

describe("a container's /etc/hosts", () => {
  test('is changed in place, and every other byte is kept', async () => {
    await using container = await mountHosts(folder.path, { text: '127.0.0.1\tlocalhost\n# \xff\xfe\n' });
    const path = join(folder.path, container.process.containerId, 'hosts');
    const { ino } = await stat(path);
    await editHostsFile(container.process, append);
    expect(await container.text()).toBe('127.0.0.1\tlocalhost\n# \xff\xfe\n10.2.1.1 web\n');
    await editHostsFile(container.process, () => 'short\n');
    expect(await container.text()).toBe('short\n');
    expect((await stat(path)).ino).toBe(ino);
    expect(await readFile('/etc/hosts', 'utf8')).not.toContain('short');
  });

  test('is not written without a change', async () => {
    await using container = await mountHosts(folder.path);
    const path = join(folder.path, container.process.containerId, 'hosts');
    const { mtimeNs } = await stat(path, { bigint: true });
    await editHostsFile(container.process, (text) => text);
    expect((await stat(path, { bigint: true })).mtimeNs).toBe(mtimeNs);
  });

  test('under a lease of a process in the container is refused at once', async () => {
    await using container = await mountHosts(folder.path);
    const path = join(folder.path, container.process.containerId, 'hosts');
    for (const lease of [F_RDLCK, F_WRLCK]) {
      const holder = spawn(process.execPath, ['--input-type=module', '-e', LEASE, path, `${lease}`], {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(holder.stdout, 'data');
      const began = performance.now();
      await expect(editHostsFile(container.process, append)).rejects.toThrow(/holds a lease/);
      expect(performance.now() - began).toBeLessThan(5_000); // the kernel ends a lease after 45 s
      holder.kill('SIGKILL');
      await once(holder, 'exit');
    }
    await editHostsFile(container.process, append);
    expect(await container.text()).toContain('10.2.1.1 web');
  });

  /** A root made by the container, whose /etc links to the folder of Docker's file. */
  const LINKED_FOLDER = [
    'cd "$(dirname "$1")"; mount -t tmpfs none .; mkdir usr real; mount --rbind /usr usr',
    'for each in bin lib lib64; do ln -s "usr/$each" "$each"; done; ln -s real etc; touch real/hosts',
    "exec chroot . sh -c 'echo; exec sleep 600'",
  ].join('; ');
  const planted = (command: string): string => `mount -t tmpfs none /etc; ${command}`;
  test.each([
    ['a link out of the container', planted('ln -s "$1" /etc/hosts'), /not a regular file/],
    ['a folder', planted('mkdir /etc/hosts'), /not a regular file/],
    ['a pipe', planted('mkfifo /etc/hosts'), /not a regular file/],
    ['a device', planted('mknod /etc/hosts c 1 5'), /not a regular file/],
    ['a file of its own', planted('touch /etc/hosts'), /not the file that Docker keeps/],
    ['nothing', planted('true'), /it has no such file/],
    [
      "a file of the host's",
      'mount --bind "$(dirname "$1")/../other" /etc/hosts',
      /not the file that Docker keeps/,
    ],
    ['behind a link', LINKED_FOLDER, /its \/etc is not a folder/],
    ['a mount that is read-only', `${BIND}; mount -o remount,bind,ro /etc/hosts`, /read-only/],
  ])('that is %s is refused with nothing written', async (_, script, message) => {
    const other = join(folder.path, 'other');
    await writeFile(other, 'untouched\n');
    await using container = await mountHosts(folder.path, { script });
    const before = await container.text();
    await expect(editHostsFile(container.process, append)).rejects.toThrow(message);
    expect(await container.text()).toBe(before);
    expect(await readFile(other, 'utf8')).toBe('untouched\n');
  });

  test('of another container, whose process has the id now, is refused', async () => {
    await using container = await mountHosts(folder.path);
    const stranger = { ...container.process, containerId: containerId('d') };
    await expect(editHostsFile(stranger, append)).rejects.toThrow(
      /container d0{11}: .*not the file that Docker/,
    );
    expect(await container.text()).toBe('127.0.0.1\tlocalhost\n');
  });

  test('is of a bounded size, before and after', async () => {
    await using large = await mountHosts(folder.path, { text: '#'.repeat((1 << 20) + 1) });
    await expect(editHostsFile(large.process, append)).rejects.toThrow(/larger than 1048576 bytes/);
    await using small = await mountHosts(folder.path);
    await expect(editHostsFile(small.process, () => '#'.repeat((1 << 20) + 1))).rejects.toThrow(
      /would be larger/,
    );
    expect(await small.text()).toBe('127.0.0.1\tlocalhost\n');
  });

  test('of a process that has ended is refused', async () => {
    const container = await mountHosts(folder.path);
    await container[Symbol.asyncDispose]();
    await expect(editHostsFile(container.process, append)).rejects.toThrow(/has stopped/);
  });
});
