import { describe, expect, it } from 'vitest';
import { daemonArguments, daemonContainer, daemonEnvironment } from '../../src/launch/daemon-container.ts';

describe("the daemon's container", () => {
  const own = {
    args: ['--registry', 'consul://127.0.0.1:8500', '--tags', 'a=b'],
    env: { CONSUL_HTTP_TOKEN: 'se=cret\nline', HEDDLE_LOG_LEVEL: 'debug', WEAVE_MTU: '1400' },
  };

  it('returns the arguments and variables that it was created with', () => {
    expect(daemonArguments(daemonContainer({ name: 'heddle', image: 'heddle', ...own }))).toEqual(own);
  });

  it.each([
    ['nothing', {}, { args: [], env: {} }],
    ['nulls, as Docker returns them', { Cmd: null, Env: null }, { args: [], env: {} }],
    ['a command line without "daemon"', { Cmd: ['consul://c:8500'] }, { args: ['consul://c:8500'], env: {} }],
    [
      'one that replaced another',
      { Cmd: ['daemon', '--take-over', '--mtu', '1400'] },
      { args: ['--mtu', '1400'], env: {} },
    ],
    [
      "the image's and the caller's own variables",
      { Env: ['PATH=/bin', 'NODE_ENV=production', 'PROCFS=/hostproc', 'HEDDLE_SOCKET=/x', 'EMPTY'] },
      { args: [], env: {} },
    ],
  ])('reads %s', (_, config, expected) => {
    expect(daemonArguments(config as object)).toEqual(expected);
  });

  it("passes on the settings in the caller's environment that have a meaning for the daemon", () => {
    const env = { ...own.env, HEDDLE_IMAGE: 'x', HEDDLE_STATE_DIR: '/x', HOME: '/root', HEDDLE_MTU: '' };
    expect(daemonEnvironment(env)).toEqual(own.env);
  });
});
