import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  assertContainerProcess,
  containerNamespace,
  findNamespace,
} from '../../src/network/container-namespace.ts';

const ID = '4f5e'.repeat(16);
const OTHER = 'a0b1'.repeat(16);
let procfs: string;

beforeEach(async () => {
  procfs = await mkdtemp(join(tmpdir(), 'heddle-procfs-'));
});
afterEach(() => rm(procfs, { recursive: true }));

/** A process as shown by the mounted procfs. */
async function processWith({
  cgroup = `12:pids:/docker/${ID}\n`,
  mountinfo = '',
  net = '/dev/null',
}): Promise<void> {
  await mkdir(join(procfs, '77', 'ns'), { recursive: true });
  await writeFile(join(procfs, '77', 'cgroup'), cgroup);
  await writeFile(join(procfs, '77', 'mountinfo'), mountinfo);
  await symlink(net, join(procfs, '77', 'ns', 'net'));
}
const target = (pid = 77) => ({ procfs, pid, containerId: ID });

describe('a process is accepted as the container’s', () => {
  test.each([
    ['cgroup v1', `12:pids:/docker/${ID}\n0::/\n`],
    ['cgroup v1 with a parent', `3:cpu:/heddle-test/${ID}\n2:memory:/\n`],
    ['cgroup v2', `0::/system.slice/docker-${ID}.scope\n`],
    ["cgroup v2 seen from heddle's own private namespace", `0::/../docker-${ID}.scope\n`],
  ])('by its id in %s', async (_, cgroup) => {
    await processWith({ cgroup });
    await expect(assertContainerProcess(target())).resolves.toBeUndefined();
  });

  test('by the mounts of its hosts file if no control group names a container', async () => {
    const mountinfo = `1 2 8:1 /var/lib/docker/containers/${ID}/hosts /etc/hosts rw - ext4 /dev/sda rw\n`;
    await processWith({ cgroup: '0::/\n', mountinfo });
    await expect(assertContainerProcess(target())).resolves.toBeUndefined();
  });
});

describe('a process is rejected', () => {
  test.each([
    ['of another container', { cgroup: `0::/docker/${OTHER}\n` }],
    ['of no container', { cgroup: '0::/user.slice\n' }],
    ['that nothing names', { cgroup: '0::/\n' }],
    [
      'of another container, whatever it has mounted',
      { cgroup: `0::/docker/${OTHER}\n`, mountinfo: `/var/lib/docker/containers/${ID}/hosts` },
    ],
  ])('%s', async (_, files) => {
    await processWith(files);
    const refusal = { code: 'not-running', message: expect.stringContaining(ID.slice(0, 12)) };
    await expect(assertContainerProcess(target())).rejects.toMatchObject(refusal);
  });

  test('that has ended, or never existed', async () => {
    await expect(findNamespace(target(78))).rejects.toMatchObject({ code: 'not-running' });
    await expect(findNamespace(target(0))).rejects.toMatchObject({ code: 'not-running' });
  });
});

describe('the namespace of a container', () => {
  test('is the path in its procfs, with the inode', async () => {
    await processWith({});
    const path = join(procfs, '77/ns/net');
    expect(await findNamespace(target())).toEqual({ path, inode: expect.any(Number) });
    expect(await containerNamespace(target())).toBe(path);
  });

  test("is rejected if it is the host's own", async () => {
    await processWith({ net: '/proc/self/ns/net' });
    expect(await findNamespace(target())).toEqual({ path: undefined, inode: expect.any(Number) });
    await expect(containerNamespace(target())).rejects.toMatchObject({ code: 'host-network' });
  });

  test('that has disappeared is reported as stopped', async () => {
    await processWith({ net: '/nowhere' });
    await expect(containerNamespace(target())).rejects.toMatchObject({ code: 'not-running' });
  });
});
