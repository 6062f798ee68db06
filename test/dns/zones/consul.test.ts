import { expect, test } from 'vitest';
import { ConsulZone } from '../../../src/dns/zones/consul.ts';
import { questionOf } from '../question.ts';

const server = { ip: '127.0.0.1', port: 8600 };
const message = Buffer.from('an answer');
const asked: string[] = [];
const zone = new ConsulZone(
  {
    server,
    client: {
      ask: async ({ name }, { servers: [first] }) => {
        asked.push(`${name} ${first?.port}`);
        return message;
      },
    },
  },
  { domain: 'consul', datacenter: 'dc1' },
);

test.each([
  ['web.service.dc2.consul', 'A'],
  ['v1.web.service.DC2.consul', 'SRV'],
  ['n1.node.dc2.consul', 'A'],
  ['find-web.query.consul', 'A'],
  ['find-web.query.dc1.consul', 'A'],
  ['_web._tcp.dc2.consul', 'SRV'],
])('%s %s is asked from Consul', async (name, type) => {
  asked.length = 0;
  expect(await zone.resolve(questionOf(name, type))).toEqual({ message });
  expect(asked).toEqual([`${name.toLowerCase()} 8600`]);
});

test.each([
  ['web.service.consul', 'A'],
  ['web.service.dc1.consul', 'A'],
  ['web.service.dc2.extra.consul', 'A'],
  ['0a020101.addr.dc2.consul', 'A'],
  ['query.consul', 'A'],
  ['find.query.a.b.consul', 'A'],
  ['consul', 'A'],
  ['web.service.dc2.consul', 'SOA'],
  ['web.service.dc2.consul', 'AXFR'],
  ['web.service.dc2.consul.example', 'A'],
])('%s %s is passed on', (name, type) => {
  expect(zone.resolve(questionOf(name, type))).toBeUndefined();
});
