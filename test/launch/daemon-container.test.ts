import { describe, expect, it } from 'vitest';
import { daemonArguments, daemonContainer, daemonEnvironment } from '../../src/launch/daemon-container.ts';

describe("the daemon's container", () => {
  const words = {
    args: ['--registry', 'consul://127.0.0.1:8500', '--tags', 'a=b'],
    env: { CONSUL_HTTP_TOKEN: 'se=cret\nline', HEDDLE_LOG_LEVEL: 'debug', WEAVE_MTU: '1400' },
  };

  it('gives back the arguments and variables that it was made of', () => {
    expect(daemonArguments(daemonContainer({ name: 'heddle', image: 'heddle', ...words }))).toEqual(words);
  });

  it.each([
    ['nothing', {}, { args: [], env: {} }],
    ['nulls, as Docker has them', { Cmd: null, Env: null }, { args: [], env: {} }],
    ['a line without the word daemon', { Cmd: ['consul://c:8500'] }, { args: ['consul://c:8500'], env: {} }],
    [
      "one that took another's place",
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

  it("takes of the caller's environment what is a setting, and of use on the host", () => {
    const env = { ...words.env, HEDDLE_IMAGE: 'x', HEDDLE_STATE_DIR: '/x', HOME: '/root', HEDDLE_MTU: '' };
    expect(daemonEnvironment(env)).toEqual(words.env);
  });
});
