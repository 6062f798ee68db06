import { expect, test } from 'vitest';
import { hostIdOfEngine } from '../src/host-id.ts';

const engine = (id: string) => ({ info: async () => ({ id, name: 'host1', version: '20.10', time: '' }) });

test('one engine gives one host-id, whatever the host is called; another gives another', async () => {
  const id = await hostIdOfEngine(engine('AAAA:BBBB'));
  expect(id).toMatch(/^[0-9a-f]{12}$/);
  expect(await hostIdOfEngine(engine('AAAA:BBBB'))).toBe(id);
  expect(await hostIdOfEngine(engine('AAAA:BBBC'))).not.toBe(id);
});

test.each([
  ['that is away', { info: () => Promise.reject(new Error('connection refused')) }],
  ['that hangs', { info: () => new Promise<never>(() => {}) }],
  ['without an id', engine('')],
])('an engine %s gives a new one each time', async (_, docker) => {
  const ids = [await hostIdOfEngine(docker, 20), await hostIdOfEngine(docker, 20)];
  expect(ids).toEqual([expect.stringMatching(/^[0-9a-f]{12}$/), expect.not.stringContaining(ids[0] ?? '')]);
});
