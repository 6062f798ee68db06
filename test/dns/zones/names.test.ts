import { expect, test } from 'vitest';
import { parseServiceName } from '../../../src/dns/zones/names.ts';

test.each([
  ['web.service', 'A', { kind: 'service', service: 'web' }],
  ['web.service.dc1', 'A', { kind: 'service', service: 'web', datacenter: 'dc1' }],
  ['v1.web.service', 'A', { kind: 'service', service: 'web', tag: 'v1' }],
  [
    'site1.customer1.web.service.dc1',
    'A',
    { kind: 'service', service: 'web', tag: 'site1.customer1', datacenter: 'dc1' },
  ],
  ['_web._tcp.service', 'A', { kind: 'service', service: 'web' }],
  ['_web._udp.service', 'SRV', { kind: 'service', service: 'web', tag: 'udp' }],
  ['_web._v1.service.dc1', 'SRV', { kind: 'service', service: 'web', tag: 'v1', datacenter: 'dc1' }],
  ['_web._tcp', 'SRV', { kind: 'service', service: 'web' }],
  ['_web._tcp.dc1', 'SRV', { kind: 'service', service: 'web', datacenter: 'dc1' }],
  ['_web.service', 'SRV', { kind: 'service', service: '_web' }],
  ['_a._b._c.service', 'A', { kind: 'service', service: '_c', tag: '_a._b' }],
  ['_shop._site1.customer1.service', 'A', { kind: 'service', service: 'customer1', tag: '_shop._site1' }],
  ['service.gate.service', 'A', { kind: 'service', service: 'gate', tag: 'service' }],
  ['node.service', 'A', { kind: 'service', service: 'node' }],
  ['h1.node', 'A', { kind: 'node', node: 'h1' }],
  ['h1.example.node.dc1', 'A', { kind: 'node', node: 'h1.example', datacenter: 'dc1' }],
  ['0a020101.addr', 'A', { kind: 'addr', digits: '0a020101' }],
  ['0a020101.addr.dc1.anything', 'A', { kind: 'addr', digits: '0a020101' }],
  ['', 'A', { kind: 'invalid' }],
  ['foo', 'A', { kind: 'invalid' }],
  ['service', 'A', { kind: 'invalid' }],
  ['web.service.dc1.extra', 'A', { kind: 'invalid' }],
  ['node', 'A', { kind: 'invalid' }],
  ['h1.node.dc1.extra', 'A', { kind: 'invalid' }],
  ['x.0a020101.addr', 'A', { kind: 'invalid' }],
  ['addr', 'A', { kind: 'invalid' }],
  ['_web._tcp', 'A', { kind: 'invalid' }],
  ['find-web.query', 'A', { kind: 'query' }],
  ['find-web.query.dc2', 'A', { kind: 'query' }],
  ['query', 'A', { kind: 'invalid' }],
  ['web.connect', 'A', { kind: 'invalid' }],
])('%s (%s)', (name, type, expected) => {
  expect(parseServiceName(name === '' ? [] : name.split('.'), type)).toEqual(expected);
});
