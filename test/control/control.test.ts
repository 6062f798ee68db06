import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { daemonAt, runInDaemon, takeOver } from '../../src/control/client.ts';
import { type ControlNeeds, ControlServer } from '../../src/control/server.ts';
import { HeddleError } from '../../src/errors.ts';
import { collect, type Io } from '../../src/runtime/io.ts';
import { silentLogger } from '../../src/runtime/log.ts';

let folder: string;
let servers: ControlServer[];
let handOver: ControlNeeds['handOver'];
const identity = { engine: 'E1', address: 'unix:///d.sock', version: '1' };
const path = () => join(folder, 'run/heddle.sock');

async function serve(run: ControlNeeds['run'] = async () => 0): Promise<ControlServer> {
  const server = new ControlServer(
    { run, engine: async () => identity, handOver: () => handOver(), log: silentLogger },
    { path: path() },
  );
  servers.push(server);
  await server.start();
  return server;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-control-'));
  servers = [];
  handOver = async () => () => {};
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await rm(folder, { recursive: true });
});

describe('the control socket', () => {
  it('returns which engine the daemon serves, and only its owner can open it', async () => {
    await serve();
    expect(await daemonAt(path())).toEqual(identity);
    expect((await stat(path())).mode & 0o777).toBe(0o600);
  });

  it('carries a command, both its output streams, and its exit status', async () => {
    const run = async (argv: readonly string[], io: Io) => {
      io.stdout.write(`did ${argv.join('+')} ü\n`);
      io.stderr.write('but complained\n');
      return 3;
    };
    await serve(run);
    const [stdout, stderr] = [collect(), collect()];
    expect(await runInDaemon(path(), ['attach', '10.2.1.1/16', 'a b'], { stdout, stderr })).toBe(3);
    expect(stdout.text).toBe('did attach+10.2.1.1/16+a b ü\n');
    expect(stderr.text).toBe('but complained\n');
  });

  it('reports a daemon that ends during a command', async () => {
    let server: ControlServer | undefined;
    server = await serve(async (_, io) => {
      io.stdout.write('begun\n');
      setTimeout(() => void server?.stop(), 20);
      return await new Promise(() => {});
    });
    const stdout = collect();
    await expect(runInDaemon(path(), ['ps'], { stdout, stderr: collect() })).rejects.toThrow(
      /closed the connection|ended during the command/,
    );
    expect(stdout.text).toBe('begun\n');
  });

  it('finds no daemon where there is no socket, or the socket of a killed daemon', async () => {
    expect(await daemonAt(path())).toBeUndefined();
    const server = await serve();
    await server.stop();
    await writeFile(path(), '');
    expect(await daemonAt(path())).toBeUndefined();
    await rm(path());
  });

  it('does not replace the socket of a daemon that answers', async () => {
    await serve();
    await expect(serve()).rejects.toThrow(/another heddle daemon answers on .*heddle\.sock/);
    expect(await daemonAt(path())).toEqual(identity);
  });

  it('is handed over: the path is free when the answer arrives, and then belongs to the successor', async () => {
    const ended = new Promise<void>((resolve) => {
      handOver = async () => resolve;
    });
    const old = await serve();
    expect(await takeOver(path())).toBe(true);
    await serve();
    await ended;
    await old.stop();
    expect(await daemonAt(path())).toEqual(identity);
  });

  it('waits for a daemon that is still starting, and then takes over', async () => {
    handOver = vi
      .fn<ControlNeeds['handOver']>(async () => () => {})
      .mockRejectedValueOnce(new HeddleError('refused', 'it is still starting'))
      .mockRejectedValueOnce(new HeddleError('refused', 'it is still starting'));
    await serve();
    expect(await takeOver(path())).toBe(true);
    expect(handOver).toHaveBeenCalledTimes(3);
    await serve();
  });

  it('leaves a daemon running that never finishes its start, and reports why', async () => {
    handOver = async () => {
      throw new HeddleError('refused', 'it is still starting');
    };
    await serve();
    await expect(takeOver(path(), 50)).rejects.toThrow(/does not hand over: it is still starting; stop it/);
    expect(await daemonAt(path())).toEqual(identity);
  });

  it('has nothing to take over where no daemon runs', async () => {
    expect(await takeOver(path())).toBe(false);
  });

  it.each([
    ['GET', '/', 404],
    ['POST', '/word', 400],
  ])('answers %s %s without a command with %i', async (method, url, status) => {
    await serve();
    const { request } = await import('node:http');
    const answered = await new Promise<number | undefined>((resolve, reject) => {
      request({ socketPath: path(), method, path: url }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end('{"argv": "ps"}');
    });
    expect(answered).toBe(status);
  });
});
