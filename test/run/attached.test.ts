import { afterEach, describe, expect, it } from 'vitest';
import { runAttached } from '../../src/run/attached.ts';
import { parseRun } from '../../src/run/command.ts';
import { collect, type Io } from '../../src/runtime/io.ts';
import { type FakeDocker, fakeDocker } from '../support/fake-docker.ts';

/** The first command that run sends to the host. Its status is 7, so that nothing starts. */
async function asked(line: string): Promise<string> {
  const args: string[] = [];
  const onHost = async (argv: readonly string[]) => args.push(...argv) && 7;
  const io = { stdout: collect(), stderr: collect() };
  expect(await runAttached(parseRun(line.split(' ')), { onHost, io, env: {} })).toBe(7);
  return args.join(' ');
}

describe('run asks the host once before the start, and sends none of docker’s arguments', () => {
  it.each([
    ['10.2.1.1/16 nginx', 'prepare-run 10.2.1.1/16'],
    ['nginx', 'prepare-run net:default'],
    ['10.2.1.1/16 -e PASSWORD=hush --dns-search=a nginx', 'prepare-run 10.2.1.1/16'],
    ['--with-dns 10.2.1.1/16 10.3.1.1/24 nginx', 'prepare-run --with-dns 10.2.1.1/16 10.3.1.1/24'],
    ['--with-dns 10.2.1.1/16 -e PASSWORD=hush nginx sh', 'prepare-run --with-dns 10.2.1.1/16'],
    [
      '--with-dns 10.2.1.1/16 --dns-search hush -h hush nginx',
      'prepare-run --with-dns --own-search 10.2.1.1/16',
    ],
    ['--with-dns 10.2.1.1/16 nginx --dns-search=a', 'prepare-run --with-dns 10.2.1.1/16'],
    ['-e WEAVE_CIDR=10.2.1.1/16 -e PASSWORD=hush nginx', 'prepare-run 10.2.1.1/16'],
    ['10.2.1.1/16 -e WEAVE_CIDR=none nginx', 'prepare-run 10.2.1.1/16'],
    ['--with-dns -e WEAVE_CIDR=none nginx', 'prepare-run --with-dns'],
  ])('%s', async (line, expected) => {
    expect(await asked(line)).toBe(expected);
  });
});

describe('after docker run, a container', () => {
  let engine: FakeDocker;
  afterEach(() => engine[Symbol.asyncDispose]());

  /** Runs it with a docker command of these answers; attaching ends with this status. */
  async function run(line: string, attach: number, answers: Readonly<Record<string, string>>) {
    engine = await fakeDocker({ run: 'echo c0ffee', ...answers });
    const io = { stdout: collect(), stderr: collect() };
    const args: string[] = [];
    const onHost = async ([command = '', ...rest]: readonly string[], to: Io) => {
      args.push([command, ...rest].join(' '));
      if (command !== 'attach' || attach === 0) return 0;
      to.stderr.write('heddle: cannot attach\n');
      return attach;
    };
    const status = await runAttached(parseRun(line.split(' ')), { onHost, io, env: {} });
    return {
      status,
      stdout: io.stdout.text,
      stderr: io.stderr.text,
      args,
      docker: await engine.commands(),
    };
  }
  const state = (Status: string, ExitCode: number, more: object = {}) =>
    `echo '${JSON.stringify([{ Name: '/web', State: { Status, ExitCode, ...more } }])}'`;

  it('has the label with its addresses after docker’s options, where the label wins', async () => {
    const { docker, args } = await run(
      '--label heddle.cidr=10.9.9.9/16 10.2.1.1/16 -it nginx sh -c ls',
      0,
      {},
    );
    expect(docker).toEqual([
      'run -d --label heddle.cidr=10.9.9.9/16 -it --label heddle.cidr=10.2.1.1/16 nginx sh -c ls',
    ]);
    expect(args).toEqual(['prepare-run 10.2.1.1/16', 'attach 10.2.1.1/16 c0ffee']);
  });

  it('that requests no address is not attached, and has no label', async () => {
    const { docker, args, status, stdout } = await run('-e WEAVE_CIDR=none nginx', 0, {});
    expect({ docker, args, status, stdout }).toEqual({
      docker: ['run -d -e WEAVE_CIDR=none nginx'],
      args: [],
      status: 0,
      stdout: 'c0ffee\n',
    });
  });

  it('that runs and cannot be attached is removed again', async () => {
    const ran = await run('nginx', 1, { inspect: state('running', 0) });
    expect(ran).toMatchObject({ status: 1, stdout: '' });
    expect(ran.stderr).toBe(
      'heddle: cannot attach\nheddle: the container was removed again, because it could not be attached\n',
    );
    expect(ran.docker).toContain('rm -f -v c0ffee');
  });

  it('that cannot be removed either stays, with a message', async () => {
    const ran = await run('nginx', 1, { inspect: state('running', 0), rm: 'echo busy >&2; exit 1' });
    expect(ran.stderr).toMatch(
      /^busy\nheddle: cannot attach\nheddle: the container could not be removed and runs without an address: docker rm -f c0ffee\n$/,
    );
  });

  it('that has failed is kept, and its status, reason and last log lines are shown', async () => {
    const ran = await run('nginx', 1, {
      inspect: state('exited', 3, { Error: 'no such device' }),
      logs: 'printf "one\\r\\n\\033]0;evil\\007two\\n"; echo boom >&2',
    });
    expect(ran).toMatchObject({ status: 3, stdout: '' });
    expect(ran.stderr).toBe(
      'heddle: web ended with status 3 (no such device) before it could be attached; it is kept: see docker logs web, which ends with:\n' +
        '  one\n  ?]0;evil?two\n  boom\n',
    );
    expect(ran.docker.filter((line) => line.startsWith('rm'))).toEqual([]);
  });

  it('that Docker starts again is left to Docker', async () => {
    const ran = await run('--restart=always nginx', 1, { inspect: state('restarting', 3) });
    expect(ran).toMatchObject({ status: 3, stdout: '' });
    expect(ran.stderr).toMatch(
      /web ended with status 3 .*; docker starts it again, and then it gets its address/,
    );
    expect(ran.docker.filter((line) => line.startsWith('rm'))).toEqual([]);
  });

  it('that ended with status 0 is a success', async () => {
    const ran = await run('busybox true', 1, { inspect: state('exited', 0), logs: 'echo done' });
    expect(ran).toMatchObject({ status: 0, stdout: 'c0ffee\n' });
    expect(ran.stderr).toMatch(/^heddle: web ended with status 0 .*docker logs web.*\n {2}done\n$/);
  });

  it.each([
    ['0', 0, 'c0ffee\n', /web ended with status 0 .*--rm/],
    ['7', 7, '', /web ended with status 7 .*--rm/],
  ])(
    'that Docker removed at its end (status %s) has its status from the events',
    async (code, status, stdout, message) => {
      const ran = await run('--rm busybox true', 1, {
        inspect: 'echo "Error: No such container: c0ffee" >&2; exit 1',
        info: 'echo 2026-01-02T03:04:05.5Z',
        events: `echo '${code} web'`,
      });
      expect(ran).toMatchObject({ status, stdout, stderr: expect.stringMatching(message) });
      expect(ran.docker.find((line) => line.startsWith('events'))).toContain('--until 1767323046 ');
      expect(ran.docker.filter((line) => line.startsWith('logs'))).toEqual([]);
    },
  );

  it('with an unknown end has failed', async () => {
    const ran = await run('--rm busybox true', 1, {
      inspect: 'echo "Error: No such container: c0ffee" >&2; exit 1',
      info: 'exit 1',
    });
    expect(ran).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/c0ffee ended before/),
    });
  });

  it('without an id in docker’s output has failed', async () => {
    await expect(run('nginx', 0, { run: 'echo "Usage: docker run"' })).rejects.toThrow(
      "printed no container id, but 'Usage: docker run'",
    );
  });

  it('that cannot start because of an address after the image gets advice', async () => {
    const ran = await run('nginx 10.2.1.3/16', 0, { run: 'echo "no such program" >&2; exit 127' });
    expect(ran).toMatchObject({ status: 127, stdout: '' });
    expect(ran.stderr).toBe(
      'no such program\nheddle: 10.2.1.3/16 stands after the image, so it was passed to the program; the order is run 10.2.1.3/16 … nginx\n',
    );
  });
});
