import { expect, test } from 'vitest';
import { bridgeDevice } from '../../src/docker/bridge-device.ts';
import { HeddleError } from '../../src/errors.ts';

const failing = (code: 'refused' | 'unreachable') => async () => {
  throw new HeddleError(code, 'cannot inspect its bridge: 403');
};

test('if a proxy refuses the request, the default bridge is used, with one warning that names the flag', async () => {
  const said: string[] = [];
  const warn = (sentence: string) => void said.push(sentence);
  const device = bridgeDevice({ docker: { bridgeDevice: failing('refused') }, given: undefined, warn });
  for (let n = 0; n < 3; n++) expect(await device()).toBe('docker0');
  expect(said).toEqual([
    expect.stringMatching(/403; using docker0 as Docker's bridge: name it with --docker-bridge$/),
  ]);
});

test('an engine that does not answer is asked again', async () => {
  const docker = { bridgeDevice: failing('unreachable') };
  const warn = () => expect.unreachable();
  await expect(bridgeDevice({ docker, given: undefined, warn })()).rejects.toMatchObject({
    code: 'unreachable',
  });
});

test('the last known bridge stays if an engine stops answering or sends nonsense', async () => {
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

test('the engine is not asked if the bridge is configured', async () => {
  const docker = { bridgeDevice: () => expect.unreachable() };
  expect(await bridgeDevice({ docker, given: 'br9', warn: () => {} })()).toBe('br9');
});
