import { expect, test } from 'vitest';
import { parseRoute, refuseOwnRoutes, serversFor } from '../../../src/dns/forward/routes.ts';

test.each([
  ['corp.example=10.0.0.2', 'corp.example', '10.0.0.2', 53],
  ['.Corp.Example.=10.0.0.2:5353', 'corp.example', '10.0.0.2', 5353],
  ['lan=[fd00::2]:54', 'lan', 'fd00::2', 54],
  ['10.in-addr.arpa=fd00::2', '10.in-addr.arpa', 'fd00::2', 53],
])('%s', (text, domain, ip, port) => {
  expect(parseRoute(text)).toEqual({ domain, server: { ip, port } });
});

test.each([
  ['corp.example', 'is not a domain with its server'],
  ['=10.0.0.2', 'is not a domain with its server'],
  ['a..b=10.0.0.2', 'is not a domain with its server'],
  ['a=b=10.0.0.2', 'is not a domain with its server'],
  [
    'corp.example=ns.corp.example',
    '`ns.corp.example` is no DNS server: `ns.corp.example` is not an IP address',
  ],
  ['corp.example=', '`` is no DNS server'],
])('%s: %s', (text, why) => {
  expect(() => parseRoute(text)).toThrow(why);
});

test.each([
  ['consul', 'consul'],
  ['Service.Consul', 'consul'],
  ['weave.local', 'Weave.local'],
])('%s=10.0.0.2 is refused: names of %s are answered here', (domain, own) => {
  const refuse = () => refuseOwnRoutes([parseRoute(`${domain}=10.0.0.2`)], ['other', own]);
  expect(refuse).toThrow(
    `\`${domain.toLowerCase()}\` cannot be forwarded: heddle itself answers all names of ${own}`,
  );
});

test('a parent of our domain, or a name that only ends like it, is another domain', () => {
  const others = ['local=10.0.0.2', 'notconsul=10.0.0.2', 'consul.example=10.0.0.2'].map(parseRoute);
  expect(() => refuseOwnRoutes(others, ['consul', 'weave.local'])).not.toThrow();
});

const routes = ['example=10.0.0.1', 'corp.example=10.0.0.2', 'corp.example=10.0.0.3', 'lan=10.0.0.4'].map(
  parseRoute,
);

test.each([
  ['www.corp.example', '10.0.0.2 10.0.0.3'],
  ['corp.example', '10.0.0.2 10.0.0.3'],
  ['notcorp.example', '10.0.0.1'],
  ['lan', '10.0.0.4'],
  ['plan', ''],
  ['example.com', ''],
])('%s is forwarded to %s', (name, servers) => {
  expect(
    serversFor(routes, name)
      .map(({ ip }) => ip)
      .join(' '),
  ).toBe(servers);
});
