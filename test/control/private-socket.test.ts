import { existsSync, lstatSync } from 'node:fs';
import { chmod, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ControlServer } from '../../src/control/server.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/folder.ts';
import { killedSocket } from '../support/killed-socket.ts';

let folder: TemporaryFolder;
let path: string;
let control: ControlServer;

beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder.path, 'heddle.sock');
  control = new ControlServer(
    {
      run: async () => 0,
      engine: async () => ({ engine: 'E1', address: 'unix:///d.sock', version: '1' }),
      handOver: async () => () => {},
      log: silentLogger,
    },
    { path },
  );
});
afterEach(async () => {
  vi.restoreAllMocks();
  await control.stop();
  await folder[Symbol.asyncDispose]();
});

describe('the control socket', () => {
  it.each([0o000, 0o022, 0o077])('is private from the moment it is bound, with umask %o', async (umask) => {
    const modes: number[] = [];
    const listen = Server.prototype.listen;
    vi.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server, ...given: unknown[]) {
      const result = Reflect.apply(listen, this, given) as Server;
      modes.push(lstatSync(path).mode & 0o777);
      return result;
    });
    const before = process.umask(umask);
    try {
      await control.start();
      expect(process.umask()).toBe(umask);
    } finally {
      process.umask(before);
    }
    expect(modes).toEqual([0o600]);
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
  });

  it('replaces the socket of a killed daemon', async () => {
    await killedSocket(path);
    await chmod(path, 0o600);
    await control.start();
  });

  it.each([
    ['an ordinary file', () => writeFile(path, 'precious')],
    ['an empty file of mode 600', () => writeFile(path, '', { mode: 0o600 })],
    [
      'a link to a file',
      async () => {
        await writeFile(`${path}.file`, 'precious');
        await symlink(`${path}.file`, path);
      },
    ],
    ['a link to nowhere', () => symlink('/no/such/file', path)],
    ["another program's socket without a listener", () => killedSocket(path)],
  ])('leaves %s unchanged, and reports it', async (_, make) => {
    await make();
    const before = lstatSync(path);
    await expect(control.start()).rejects.toMatchObject({
      code: 'taken',
      message: `${path} is no control socket of heddle and stays unchanged; choose another path with --socket`,
    });
    expect(lstatSync(path)).toMatchObject({ ino: before.ino, size: before.size, mode: before.mode });
    if (existsSync(`${path}.file`)) expect(await readFile(path, 'utf8')).toBe('precious');
  });

  it("leaves another program's socket that answers", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(path, resolve));
    await expect(control.start()).rejects.toThrow('is no control socket of heddle');
    expect(existsSync(path)).toBe(true);
    await new Promise((resolve) => other.close(resolve));
  });

  it('names a path that cannot be inspected', async () => {
    const under = new ControlServer(
      { run: async () => 0, engine: vi.fn(), handOver: vi.fn(), log: silentLogger },
      { path: join(path, 'x'.repeat(300)) },
    );
    await expect(under.start()).rejects.toMatchObject({
      name: 'HeddleError',
      message: expect.stringContaining(path),
    });
  });
});
