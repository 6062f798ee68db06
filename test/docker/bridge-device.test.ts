import { expect, test } from 'vitest';
import { bridgeDevice } from '../../src/docker/bridge-device.ts';
import { HeddleError } from '../../src/errors.ts';

const failing = (code: 'refused' | 'unreachable') => async () => {
  throw new HeddleError(code, 'cannot inspect its bridge: 403');
};

test('a proxy that refuses the question leaves the usual bridge, and one warning that names the flag', async () => {
  const said: string[] = [];
  const warn = (sentence: string) => void said.push(sentence);
  const device = bridgeDevice({ docker: { bridgeDevice: failing('refused') }, given: undefined, warn });
  for (let n = 0; n < 3; n++) expect(await device()).toBe('docker0');
  expect(said).toEqual([
    expect.stringMatching(/403; taking docker0 for Docker's bridge: name it with --docker-bridge$/),
  ]);
});

test('an engine that does not answer may yet', async () => {
  const docker = { bridgeDevice: failing('unreachable') };
  const warn = () => expect.unreachable();
  await expect(bridgeDevice({ docker, given: undefined, warn })()).rejects.toMatchObject({
    code: 'unreachable',
  });
});

test('an engine that no longer answers, or answers nonsense, moves no bridge', async () => {
  const answers: (() => Promise<string>)[] = [
    async () => 'weave',
    failing('unreachable'),
    failing('refused'),
  ];
  const docker = { bridgeDevice: () => (answers.shift() ?? (async () => 'docker0'))() };
  const device = bridgeDevice({ docker, given: undefined, warn: () => expect.unreachable() });
  expect([await device(), await device(), await device(), await device()]).toEqual([
    ...['weave', 'weave', 'weave', 'docker0'],
  ]);
});

test('the one that is named is not asked for', async () => {
  const docker = { bridgeDevice: () => expect.unreachable() };
  expect(await bridgeDevice({ docker, given: 'br9', warn: () => {} })()).toBe('br9');
});
