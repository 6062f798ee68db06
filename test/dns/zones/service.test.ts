import { describe, expect, test } from 'vitest';
import { type Query, readQuery } from '../../../src/dns/wire/message.ts';
import type { Reply } from '../../../src/dns/zone.ts';
import { ServiceZone } from '../../../src/dns/zones/service.ts';
import { SERVICE_ZONE_DEFAULTS, type ServiceZoneSettings } from '../../../src/dns/zones/settings.ts';
import type { Instance, View } from '../../../src/registry/registry.ts';
import { DEFAULT_WEIGHTS } from '../../../src/services/service.ts';
import { queryBytes } from '../ask.ts';

/** Behaviour that the recorded answers of Consul do not cover. */

describe('the answers of a service', () => {
  test.each(['A', 'SRV'])('of type %s occur in every order', async (type) => {
    const instances = ['10.2.1.1', '10.2.1.2', '10.2.1.3'].map((address) => instance({ address }));
    const orders = new Set<string>();
    for (let turn = 0; turn < 200 && orders.size < 6; turn += 1) {
      const reply = await ask('web.service.consul', type, instances);
      orders.add(JSON.stringify(reply?.answers.map(({ data }) => data)));
    }
    expect(orders.size).toBe(6);
  });

  test('are of the family asked for if an instance has both, IPv6 if either is allowed', async () => {
    const both = { ipv4: '10.2.1.1', ipv6: 'fd00::1' };
    const instances = [instance({ address: '10.2.1.1', addresses: both })];
    expect(dataOf(await ask('web.service.consul', 'A', instances))).toEqual(['10.2.1.1']);
    expect(dataOf(await ask('web.service.consul', 'AAAA', instances))).toEqual(['fd00::1']);
    expect(dataOf(await ask('web.service.consul', 'ANY', instances))).toEqual(['fd00::1']);
  });

  test('are of both families for ANY, of one for A and AAAA', async () => {
    const instances = [instance({ address: '10.2.1.1' }), instance({ address: 'fd00::1' })];
    expect(dataOf(await ask('web.service.consul', 'ANY', instances)).sort()).toEqual(['10.2.1.1', 'fd00::1']);
    expect(dataOf(await ask('web.service.consul', 'A', instances))).toEqual(['10.2.1.1']);
    expect(dataOf(await ask('web.service.consul', 'AAAA', instances))).toEqual(['fd00::1']);
  });

  test('leave out an instance whose address or node DNS cannot name, and keep the others', async () => {
    const instances = [
      instance({ address: 'x'.repeat(70) }),
      instance({ address: '' }, { node: 'n'.repeat(70) }),
      instance({ address: '10.2.1.1' }),
    ];
    const reply = await ask('web.service.consul', 'SRV', instances);
    expect(reply?.answers.map(({ data }) => data)).toEqual([
      { priority: 1, weight: 1, port: 80, target: '0a020101.addr.dc1.consul' },
    ]);
  });

  test('have weights and ports of 16 bits, whatever was registered', async () => {
    const weights = { passing: 65_536 + 7, warning: 1 };
    const reply = await ask('web.service.consul', 'SRV', [
      instance({ address: '10.2.1.1', port: -1, weights }),
    ]);
    expect(reply?.answers[0]?.data).toMatchObject({ weight: 7, port: 65_535 });
  });
});

describe('a second domain', () => {
  const settings = { altDomain: 'Heddle.Example' };
  const instances = [instance({ address: '10.2.1.1' })];

  test('has the same answers, which point into the first', async () => {
    const reply = await ask('web.service.heddle.example', 'SRV', instances, settings);
    expect(reply?.answers).toMatchObject([
      { name: 'web.service.heddle.example', data: { target: '0a020101.addr.dc1.consul' } },
    ]);
    const unknown = await ask('nope.service.heddle.example', 'A', [], settings);
    expect(unknown?.authorities[0]?.name).toBe('consul');
  });

  test('leaves the first domain in place, and adds no others', async () => {
    expect(dataOf(await ask('web.service.consul', 'A', instances, settings))).toEqual(['10.2.1.1']);
    expect(await ask('web.service.example', 'A', instances, settings)).toBeUndefined();
  });
});

describe('a name of another tree', () => {
  test.each(['consul.example', 'notconsul', 'web.service.notconsul', ''])(
    '`%s` is passed on',
    async (name) => {
      expect(await ask(name, 'A', [])).toBeUndefined();
    },
  );

  test('is not one whose label merely holds a dot', async () => {
    // The labels `web.service` and `consul`: no service name, though its text has the form of one.
    const packet = Buffer.concat([
      queryBytes('', 'A').subarray(0, 12),
      Buffer.from('\x0bweb.service\x06consul\x00\x00\x01\x00\x01', 'latin1'),
    ]);
    expect((await zone([instance({ address: '10.2.1.1' })]).resolve(questionOf(packet)))?.rcode).toBe(
      'NXDOMAIN',
    );
  });
});

describe('a host name as address', () => {
  // As Consul 1.8.7 answers: c3 is the longest chain that ends at its address.
  test.each([
    [1, ['c0.service.consul', '10.2.1.10']],
    [3, ['c2.service.consul', 'c1.service.consul', 'c0.service.consul', '10.2.1.10']],
    [4, ['c3.service.consul', 'c2.service.consul', 'c1.service.consul', 'c0.service.consul']],
    [6, ['c5.service.consul', 'c4.service.consul', 'c3.service.consul', 'c2.service.consul']],
  ])('in a chain of %i is followed as far as Consul follows it', async (length, expected) => {
    const instances = (name: string) => {
      const at = Number(name.slice(1));
      return [instance({ address: at === 0 ? '10.2.1.10' : `c${at - 1}.service.consul` })];
    };
    const view = { instances, node: () => undefined };
    const zone = new ServiceZone({ view }, { ...SERVICE_ZONE_DEFAULTS, node: 'h1' });
    const reply = await zone.resolve(questionOf(queryBytes(`c${length}.service.consul`, 'A')));
    expect(reply?.answers.map(({ data }) => data)).toEqual(expected);
  });

  test('that leads to others is followed a bounded number of times, also in breadth', async () => {
    let asked = 0;
    const instances = () => {
      asked += 1;
      return Array.from({ length: 30 }, (_, index) =>
        instance({ address: `s${asked}-${index}.service.consul` }),
      );
    };
    const view = { instances, node: () => undefined };
    const reply = await new ServiceZone({ view }, { ...SERVICE_ZONE_DEFAULTS, node: 'h1' }).resolve(
      questionOf(queryBytes('web.service.consul', 'A')),
    );
    expect(reply?.answers.map(({ type }) => type)).toEqual(['CNAME', 'CNAME', 'CNAME', 'CNAME']);
    expect(asked).toBe(4);
  });
});

describe('a node', () => {
  test.each([
    ['h1.node.consul', 'A', ['127.0.0.1']],
    ['H1.node.dc1.consul', 'ANY', ['127.0.0.1', 'rack=r7']],
    ['h1.node.consul', 'TXT', ['rack=r7']],
    ['h1.node.consul', 'AAAA', []],
    ['h1.node.consul', 'SRV', []],
    ['h1.node.dc2.consul', 'A', 'NXDOMAIN'],
    ['h2.node.consul', 'A', 'NXDOMAIN'],
    ['h2.node.consul', 'MX', []],
  ])('%s %s', async (name, type, expected) => {
    const reply = await ask(name, type, []);
    expect(reply?.rcode === 'NOERROR' ? dataOf(reply) : reply?.rcode).toEqual(expected);
    expect(reply?.authorities.length).toBe(expected === 'NXDOMAIN' ? 1 : 0);
  });
});

test('a registry that cannot be asked is an error, not an empty answer', async () => {
  const view = { instances: () => Promise.reject(new Error('Consul is away')), node: () => undefined };
  const broken = new ServiceZone({ view }, { ...SERVICE_ZONE_DEFAULTS, node: 'h1' });
  await expect(broken.resolve(questionOf(queryBytes('web.service.consul', 'A')))).rejects.toThrow(
    'Consul is away',
  );
});

function instance(service: Partial<Instance['service']>, rest: Partial<Instance> = {}): Instance {
  return {
    service: {
      id: 'web-1',
      name: 'web',
      tags: [],
      address: '',
      port: 80,
      meta: {},
      checks: [],
      weights: DEFAULT_WEIGHTS,
      ...service,
    },
    node: 'h1',
    nodeAddress: '127.0.0.1',
    status: 'passing',
    ...rest,
  };
}

function zone(instances: readonly Instance[], settings: Partial<ServiceZoneSettings> = {}): ServiceZone {
  const view: Pick<View, 'instances' | 'node'> = {
    instances: (name) => instances.filter(({ service }) => service.name === name),
    node: (name) => (name === 'h1' ? { address: '127.0.0.1', meta: { rack: 'r7' } } : undefined),
  };
  return new ServiceZone({ view }, { ...SERVICE_ZONE_DEFAULTS, node: 'h1', ...settings });
}

async function ask(
  name: string,
  type: string,
  instances: readonly Instance[],
  settings: Partial<ServiceZoneSettings> = {},
): Promise<Reply | undefined> {
  return zone(instances, settings).resolve(questionOf(queryBytes(name, type)));
}

function questionOf(packet: Buffer): Query['question'] {
  const received = readQuery(packet, '127.0.0.1', 'udp');
  if (!received || !('query' in received)) throw new Error('not a query');
  return received.query.question;
}

function dataOf(reply: Reply | undefined): string[] {
  return (reply?.answers ?? []).map(({ data }) => String(data));
}
