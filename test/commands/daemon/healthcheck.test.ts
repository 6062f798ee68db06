import { expect, it } from 'vitest';
import { healthcheck } from '../../../src/commands/daemon/healthcheck.ts';
import type { HostOperations } from '../../../src/operations/host-operations.ts';
import { collect } from '../../../src/runtime/io.ts';

const sound = {
  daemon: { pid: 1 },
  docker: { address: 'unix:///d.sock', follower: { stream: 'following' } },
  registry: { state: 'live' },
  dns: [{ address: '172.17.0.1:53', state: 'listening', detail: '' }],
};

async function checked(status: object, format?: string): Promise<string> {
  const stdout = collect();
  const host = { status: async () => ({ ...sound, ...status }) } as unknown as HostOperations;
  await healthcheck.run(host, { args: [], options: { format } }, { stdout, stderr: stdout });
  return stdout.text;
}

it.each([
  ['everything works', {}],
  ['the registry is away: names are answered as last known', { registry: { state: 'away' } }],
  ['there is no DNS at all', { dns: [] }],
])('healthy if %s', async (_, status) => {
  expect(await checked(status)).toBe('healthy\n');
});

it('prints JSON', async () => {
  expect(JSON.parse(await checked({}, 'json'))).toEqual({ healthy: true, problems: [] });
});

it.each([
  ['no daemon answers', { daemon: null }, /^unhealthy: no daemon answers$/],
  [
    'Docker is unreachable',
    { docker: { address: 'unix:///d.sock', follower: { stream: 'lost' } } },
    /^unhealthy: Docker at unix:\/\/\/d\.sock does not answer$/,
  ],
  [
    'another program uses a port',
    { dns: [{ address: '172.17.0.1:53', state: 'failed', detail: 'another program has that port' }] },
    /^unhealthy: no DNS on 172\.17\.0\.1:53: another program has that port$/,
  ],
])('unhealthy if %s', async (_, status, why) => {
  await expect(checked(status)).rejects.toThrow(why);
});
