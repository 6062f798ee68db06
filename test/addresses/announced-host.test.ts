import { describe, expect, test, vi } from 'vitest';
import { AnnouncedHost } from '../../src/addresses/announced-host.ts';
import type { Snapshot } from '../../src/docker/snapshot.ts';
import { snapshot } from '../support/snapshot.ts';

const OWN = new Set(['127.0.0.1', '192.0.2.7', '10.8.0.7', '172.17.0.1', '2001:db8::7']);

const hostWith = (ipOption: string | undefined, advertised: string | undefined, route?: string) =>
  new AnnouncedHost({
    ipOption,
    advertised: () => advertised,
    ownAddresses: () => OWN,
    defaultRoute: async () => route,
  });

test.each([
  ['--ip counts before all else', '203.0.113.1', '10.8.0.7', '203.0.113.1', '--ip'],
  [
    'the agent’s address counts if it belongs to this host',
    undefined,
    '10.8.0.7',
    '10.8.0.7',
    "Consul's agent",
  ],
  [
    'an IPv6 address of the agent counts in any spelling',
    undefined,
    '2001:DB8::7',
    '2001:DB8::7',
    "Consul's agent",
  ],
  [
    'the address of an agent in a container does not count',
    undefined,
    '172.17.0.2',
    '192.0.2.7',
    "the default route, as Consul's agent advertises 172.17.0.2, which is not an address of this host",
  ],
  [
    'the address of an agent in development mode does not count',
    undefined,
    '127.0.0.1',
    '192.0.2.7',
    "the default route, as Consul's agent advertises 127.0.0.1, which no other host can use",
  ],
  [
    'an unspecified address of the agent does not count',
    undefined,
    '0.0.0.0',
    '192.0.2.7',
    "the default route, as Consul's agent advertises 0.0.0.0, which no other host can use",
  ],
  [
    'an empty address of the agent does not count',
    undefined,
    '',
    '192.0.2.7',
    "the default route, as Consul's agent advertises nothing, which no other host can use",
  ],
  [
    'without an agent the default route’s address counts',
    undefined,
    undefined,
    '192.0.2.7',
    'the default route',
  ],
] as const)('%s', async (_, given, advertised, ip, origin) => {
  expect(await hostWith(given, advertised, '192.0.2.7').find()).toEqual({ ip, origin });
});

test('without a route and an agent on this host the address is unknown', async () => {
  expect(await hostWith(undefined, '172.17.0.2').find()).toBeUndefined();
});

test('the interfaces are listed at most once a second', async () => {
  const ownAddresses = vi.fn(() => OWN);
  const host = new AnnouncedHost({ ipOption: undefined, advertised: () => '10.8.0.7', ownAddresses });
  for (let n = 0; n < 100; n++) await host.find();
  expect(ownAddresses.mock.calls.length).toBeLessThanOrEqual(2);
});

describe('for a container', () => {
  const task = snapshot('a'.repeat(64), {});
  const taskHost = (container: Snapshot) => (container === task ? '198.51.100.1' : undefined);
  const host = (ipOption?: string) =>
    new AnnouncedHost({
      ipOption,
      taskHost,
      advertised: () => '10.8.0.7',
      ownAddresses: () => OWN,
      defaultRoute: async () => '192.0.2.7',
    });

  test('the HOST of its Marathon task comes before the agent’s address', async () => {
    const expected = { ip: '198.51.100.1', origin: "HOST of Marathon's task" };
    expect(await host().of(task)).toEqual(expected);
  });

  test('--ip comes before the HOST of its Marathon task', async () => {
    expect(await host('203.0.113.1').of(task)).toEqual({ ip: '203.0.113.1', origin: '--ip' });
  });

  test('that is no task, the address is the host’s', async () => {
    const other = snapshot('b'.repeat(64), {});
    expect(await host().of(other)).toEqual({ ip: '10.8.0.7', origin: "Consul's agent" });
  });
});
