import { expect, test, vi } from 'vitest';
import { AnnouncedHost } from '../../src/addresses/announced-host.ts';
import { snapshot } from '../support/snapshot.ts';

const OWN = new Set(['127.0.0.1', '192.0.2.7', '10.8.0.7', '172.17.0.1', '2001:db8::7']);

const hostWith = (given: string | undefined, advertised: string | undefined, route?: string) =>
  new AnnouncedHost({
    ipOption: given,
    advertised: () => advertised,
    ownAddresses: () => OWN,
    defaultRoute: async () => route,
  });

test.each([
  ['--ip counts before all else', '203.0.113.1', '10.8.0.7', '203.0.113.1', '--ip'],
  ['the agent’s address counts where it is this host’s', undefined, '10.8.0.7', '10.8.0.7', "Consul's agent"],
  ['so it does in IPv6, however it is written', undefined, '2001:DB8::7', '2001:DB8::7', "Consul's agent"],
  [
    'an agent in a container does not',
    undefined,
    '172.17.0.2',
    '192.0.2.7',
    "the default route, as Consul's agent advertises 172.17.0.2, which is not an address of this host",
  ],
  [
    'nor does one in development mode',
    undefined,
    '127.0.0.1',
    '192.0.2.7',
    "the default route, as Consul's agent advertises 127.0.0.1, which no other host can use",
  ],
  [
    'nor one that says every address',
    undefined,
    '0.0.0.0',
    '192.0.2.7',
    "the default route, as Consul's agent advertises 0.0.0.0, which no other host can use",
  ],
  [
    'nor one that says none',
    undefined,
    '',
    '192.0.2.7',
    "the default route, as Consul's agent advertises nothing, which no other host can use",
  ],
  ['without an agent it is the default route’s', undefined, undefined, '192.0.2.7', 'the default route'],
] as const)('%s', async (_, given, advertised, ip, origin) => {
  expect(await hostWith(given, advertised, '192.0.2.7').find()).toEqual({ ip, origin });
});

test('without a route and an agent on this host it is unknown', async () => {
  expect(await hostWith(undefined, '172.17.0.2').find()).toBeUndefined();
});

test('the interfaces are listed once a second, however many containers ask', async () => {
  const ownAddresses = vi.fn(() => OWN);
  const host = new AnnouncedHost({ ipOption: undefined, advertised: () => '10.8.0.7', ownAddresses });
  for (let n = 0; n < 100; n++) await host.find();
  expect(ownAddresses.mock.calls.length).toBeLessThanOrEqual(2);
});

test.each([
  ['goes before the agent and the default route', undefined, '198.51.100.4', "HOST of Marathon's task"],
  ['does not go before --ip', '203.0.113.1', '203.0.113.1', '--ip'],
])('the host that Marathon names to a task %s', async (_, given, ip, origin) => {
  const host = new AnnouncedHost({
    given,
    advertised: () => '10.8.0.7',
    taskHost: () => '198.51.100.4',
    ownAddresses: () => OWN,
  });
  expect(await host.of(snapshot('task'))).toEqual({ ip, origin });
});
