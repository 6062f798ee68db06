import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { define } from '../../src/services/define.ts';
import { count } from '../support/counts.ts';
import { entryOf } from '../support/roster.ts';

const HOST = 'h1';
const options = { hostId: HOST };
const own = 'heddle:h1:c0ffee000000';

const services = (...args: Parameters<typeof entryOf>) =>
  define(entryOf(...args), options).definitions.map(({ service }) => service);
const problems = (...args: Parameters<typeof entryOf>) => define(entryOf(...args), options).problems;
const table = (...args: Parameters<typeof entryOf>) =>
  services(...args).map(({ id, name, port, tags }) =>
    [id.slice(own.length), name, port, tags.join()].join(' '),
  );

describe('the services of a container', () => {
  test('carry name, address, port and owner Meta', () => {
    const [service, ...more] = services({ env: { SERVICE_NAME: 'web' }, ports: [80] });
    expect(more).toEqual([]);
    expect(service).toEqual({
      id: `${own}:80`,
      name: 'web',
      tags: [],
      address: '10.2.1.1',
      port: 80,
      meta: {
        'heddle-owner': 'heddle',
        'heddle-host': 'h1',
        'heddle-container': 'c0ffee000000',
        'heddle-hash': expect.stringMatching(/^[0-9a-f]{16}$/),
      },
      checks: [],
      weights: { passing: 1, warning: 1 },
    });
  });

  test.each<[string, Parameters<typeof entryOf>[0], string[]]>([
    ['without ports: one, at port 0', { env: { SERVICE_NAME: 'web' } }, [':0 web 0 ']],
    ['named by the image', { ports: [80], image: 'h:5000/t/nginx:1' }, [':80 nginx 80 ']],
    [
      'named by the container if the image has only an id',
      { image: `sha256:${'0'.repeat(64)}` },
      [':0 thing 0 '],
    ],
    ['several ports: a suffix each', { ports: [80, 443] }, [':80 thing-80 80 ', ':443 thing-443 443 ']],
    [
      'several ports under one SERVICE_NAME',
      { env: { SERVICE_NAME: 'web' }, ports: [80, 443] },
      [':80 web-80 80 ', ':443 web-443 443 '],
    ],
    [
      'a name for the port itself has no suffix',
      { env: { SERVICE_80_NAME: 'web', SERVICE_NAME: 'x' }, ports: [80, 443] },
      [':80 web 80 ', ':443 x-443 443 '],
    ],
    [
      'tcp and udp on one port are distinguished',
      { env: { SERVICE_NAME: 'dns' }, ports: ['53', '53/udp'] },
      [':53 dns-53 53 ', ':53:udp dns-53 53 udp'],
    ],
    [
      'tcp and udp on one port may have names of their own',
      { env: { SERVICE_53_TCP_NAME: 'a', SERVICE_53_UDP_NAME: 'b' }, ports: ['53', '53/udp'] },
      [':53 a 53 ', ':53:udp b 53 udp'],
    ],
    [
      'several names for one port',
      { env: { SERVICE_80_NAME: 'a, b' }, ports: [80] },
      [':80 a 80 ', ':80+b b 80 '],
    ],
    ['tags in their order', { env: { SERVICE_TAGS: 'v2, blue,v2' } }, [':0 thing 0 v2,blue']],
    ['SERVICE_IGNORE', { env: { SERVICE_IGNORE: 'true' }, ports: [80] }, []],
    ['SERVICE_80_IGNORE', { env: { SERVICE_80_IGNORE: '1' }, ports: [80, 443] }, [':443 thing-443 443 ']],
    [
      'a Marathon app',
      { env: { MARATHON_APP_ID: '/web/customer1/site1' }, ports: [80] },
      [':80 web 80 site1.customer1,site1-customer1'],
    ],
    [
      'a Marathon app keeps its plain name for the first port',
      { env: { MARATHON_APP_ID: '/shop/db' }, ports: [80, 443] },
      [':80 shop 80 db', ':443 shop-443 443 db'],
    ],
    [
      'SERVICE_NAME replaces the Marathon name and its tags',
      { env: { MARATHON_APP_ID: '/shop/db', SERVICE_NAME: 'mine' } },
      [':0 mine 0 '],
    ],
    [
      'SERVICE_TAGS are added to the Marathon ones',
      { env: { MARATHON_APP_ID: '/shop/db', SERVICE_TAGS: 'blue' } },
      [':0 shop 0 db,blue'],
    ],
    ['an empty app id is as none', { env: { MARATHON_APP_ID: '/' } }, [':0 thing 0 ']],
    ['an empty SERVICE_NAME is as none', { env: { SERVICE_NAME: '' } }, [':0 thing 0 ']],
    ['not running', { running: false }, []],
    ['paused', { paused: true }, []],
    ['due to be attached', { awaitingAddress: true }, []],
    ['without an address', { ip: null, ports: [80] }, []],
    [
      'host ports, one service each',
      { ports: ['80>8081,8080'], hostPorts: true },
      [':80 thing 8080 ', ':80@8081 thing 8081 '],
    ],
    [
      'host ports: an unpublished port is left out, and gives the others no suffix',
      { ports: ['80>8080', 443], hostPorts: true },
      [':80 thing 8080 '],
    ],
    [
      'host ports: several published ones, a suffix each',
      { ports: ['80>8080', '443>8443', 9000], hostPorts: true },
      [':80 thing-80 8080 ', ':443 thing-443 8443 '],
    ],
    [
      'host ports: a Marathon app keeps its plain name for the first that is published',
      { env: { MARATHON_APP_ID: '/db' }, ports: [80, '443>8443', '90>9090'], hostPorts: true },
      [':443 db 8443 ', ':90 db-90 9090 '],
    ],
    ['host network: its own ports', { ports: [80], hostPorts: true, networkMode: 'host' }, [':80 thing 80 ']],
  ])('%s', (_, container, expected) => {
    expect(table(container)).toEqual(expected);
  });

  test.each<[string, string[], string[]]>([
    ['on loopback alone: nowhere', ['80>8080', '90>127.0.0.1:9090'], ['thing-80 10.2.1.1:8080']],
    [
      'at an address of the host: there',
      ['80>8080', '90>192.0.2.9:9090'],
      ['thing-80 10.2.1.1:8080', 'thing-90 192.0.2.9:9090'],
    ],
    [
      'at several addresses: once for each host port',
      ['80>192.0.2.9:8080,8080,192.0.2.9:8081,127.0.0.1:8082'],
      ['thing 10.2.1.1:8080', 'thing 192.0.2.9:8081'],
    ],
  ])('announce a port that is published %s', (_, ports, expected) => {
    const found = services({ ports, hostPorts: true });
    expect(found.map(({ name, address, port }) => `${name} ${address}:${port}`)).toEqual(expected);
  });

  test('announce every host port at SERVICE_ADDRESS', () => {
    const env = { SERVICE_ADDRESS: '198.51.100.7' };
    const found = services({ env, ports: ['80>192.0.2.9:8080'], hostPorts: true });
    expect(found.map(({ address, port }) => `${address}:${port}`)).toEqual(['198.51.100.7:8080']);
  });

  test('only named ones with explicit names', () => {
    const explicit = { hostId: HOST, explicit: true };
    expect(define(entryOf({ env: { MARATHON_APP_ID: '/a' } }), explicit).definitions).toEqual([]);
    expect(define(entryOf({ env: { SERVICE_NAME: 'web' } }), explicit).definitions).toHaveLength(1);
  });

  test('take the compose service label only when asked', () => {
    const entry = entryOf({ env: { 'com.docker.compose.service': 'db' } });
    const names = (compose: boolean) =>
      define(entry, { hostId: HOST, composeNames: compose }).definitions.map(({ service }) => service.name);
    expect(names(true)).toEqual(['db']);
    expect(names(false)).toEqual(['thing']);
  });

  test.each([
    ['10.9.9.9', '10.9.9.9'],
    ['10.9.9.9/16', '10.9.9.9'],
    ['[fd00::1]', 'fd00::1'],
    ['FD00:0:0::1', 'fd00::1'],
    ['backend.example.com', 'backend.example.com'],
  ])('SERVICE_ADDRESS=%s announces %s', (given, address) => {
    expect(services({ env: { SERVICE_ADDRESS: given } })[0]?.address).toBe(address);
    expect(services({ env: { SERVICE_ADDRESS: given }, ip: null })[0]?.address).toBe(address);
  });

  test('have the addresses of both families, or SERVICE_ADDRESS alone', () => {
    const container = { ipv6: 'fd00::1', env: {} };
    const both = { address: '10.2.1.1', addresses: { ipv4: '10.2.1.1', ipv6: 'fd00::1' } };
    expect(services(container)).toMatchObject([both]);
    expect(services({ ...container, env: { SERVICE_ADDRESS: 'a b' } })).toMatchObject([both]);
    const [given] = services({ ...container, env: { SERVICE_ADDRESS: '10.9.9.9' } });
    expect(given).toMatchObject({ address: '10.9.9.9' });
    expect(given).not.toHaveProperty('addresses');
  });

  const everyAddress = [
    '0.0.0.0',
    '::',
    '[::]',
    '0:0::0',
    '::ffff:0.0.0.0',
    '::0.0.0.0',
    '0.0.0.0/0',
    '0x0',
    '0x0.0',
  ];
  test.each([...everyAddress, '10.2.1', '10.2.0.300', 'a b', 'fe80::1%eth0', '-x-'])(
    'SERVICE_ADDRESS=%s is refused, and the chosen address stays',
    (given) => {
      expect(services({ env: { SERVICE_ADDRESS: given } })[0]?.address).toBe('10.2.1.1');
      expect(problems({ env: { SERVICE_ADDRESS: given } })).toEqual([
        expect.stringMatching(/^SERVICE_ADDRESS .* is refused: expected an IP address or a host name$/),
      ]);
    },
  );

  test.each([
    ['10', { passing: 10, warning: 1 }],
    ['10,3', { passing: 10, warning: 3 }],
    ['0', { passing: 1, warning: 1 }],
    ['65536', { passing: 1, warning: 1 }],
    ['much', { passing: 1, warning: 1 }],
  ])('SERVICE_WEIGHT=%s', (given, weights) => {
    expect(services({ env: { SERVICE_WEIGHT: given } })[0]?.weights).toEqual(weights);
  });

  test('have a check for each kind that is asked for, at the announced port', () => {
    const env = { SERVICE_80_CHECK_HTTP: '/ready', SERVICE_CHECK_TCP: 'true' };
    const runs = { hostId: HOST, runs: () => true };
    const checks = define(
      entryOf({ env, ports: ['80>8080', '443>8443'], hostPorts: true }),
      runs,
    ).definitions.map(({ service }) =>
      service.checks.map((check) => `${check.id} ${'url' in check ? check.url : check.interval}`),
    );
    expect(checks).toEqual([
      [`${own}:80~http http://10.2.1.1:8080/ready`, `${own}:80~tcp 10s`],
      [`${own}:443~tcp 10s`],
    ]);
  });

  test('request the id of SERVICE_ID, unless it is a generated one', () => {
    const wanted = (id: string) =>
      define(entryOf({ env: { SERVICE_ID: id } }), options).definitions[0]?.requestedId;
    expect(wanted('db-1')).toBe('db-1');
    expect(wanted('host:name:80')).toBe('host:name:80');
    expect(wanted('heddle:h1:abc:80')).toBeUndefined();
    for (const id of ['a b', '..', 'a/../b', '/']) expect(wanted(id)).toBeUndefined();
  });
});

describe('bad metadata costs its own key and never the service', () => {
  test('every other key becomes Meta, within the limits of Consul', () => {
    const env = {
      SERVICE_REGION: 'eu',
      'SERVICE_A.B': 'dot',
      SERVICE_LONG: 'v'.repeat(513),
      [`SERVICE_${'K'.repeat(129)}`]: 'v',
      'SERVICE_CONSUL-X': 'v',
      'SERVICE_HEDDLE-OWNER': 'another',
      SERVICE___PROTO__: 'v',
    };
    const [service] = services({ env });
    expect(service?.meta).toMatchObject({ region: 'eu', 'heddle-owner': 'heddle' });
    expect(Object.keys(service?.meta ?? {})).toHaveLength(5);
    expect(problems({ env })).toHaveLength(6);
    expect(problems({ env })).toContain(
      'SERVICE_A.B is left out: a Meta name has only letters, digits, `_` and `-`',
    );
  });

  test('sixty-four Meta pairs at most, ours among them', () => {
    const env = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`SERVICE_K${n}`, 'v']));
    expect(Object.keys(services({ env })[0]?.meta ?? {})).toHaveLength(64);
    expect(problems({ env })).toHaveLength(21);
    expect(problems({ env }).at(-1)).toBe('and 20 more');
  });

  test('the name consul is refused, and the next source names the service', () => {
    expect(table({ env: { SERVICE_NAME: 'Consul' } })).toEqual([':0 thing 0 ']);
    expect(problems({ env: { SERVICE_NAME: 'Consul' } })).toEqual([
      expect.stringContaining('SERVICE_NAME "Consul" is refused: that name belongs to the Consul servers'),
    ]);
  });

  test('a container of image consul has its own name', () => {
    expect(table({ image: 'hashicorp/consul:1.18' })).toEqual([':0 thing 0 ']);
  });

  test('a name that is not a DNS label is corrected and reported', () => {
    expect(table({ env: { SERVICE_NAME: 'my_app' } })).toEqual([':0 my-app 0 ']);
    expect(problems({ env: { SERVICE_NAME: 'my_app' } })).toEqual([
      'SERVICE_NAME "my_app" is not a DNS label and becomes my-app',
    ]);
  });

  test('a Marathon id without a usable name is reported, and the image names the service', () => {
    expect(table({ env: { MARATHON_APP_ID: '/a/_' } })).toEqual([':0 thing 0 ']);
    expect(problems({ env: { MARATHON_APP_ID: '/a/_' } })).toEqual([
      expect.stringContaining('MARATHON_APP_ID'),
    ]);
  });

  test('any metadata gives a registration within the limits of Consul', () => {
    const key = fc.oneof(
      fc.constantFrom('NAME', 'TAGS', 'ID', 'ADDRESS', 'WEIGHT', '80_NAME', '80_TCP_TAGS'),
      fc.string({ unit: 'binary', maxLength: 140 }),
    );
    const pairs = fc.array(fc.tuple(key, fc.string({ unit: 'binary', maxLength: 600 })), { maxLength: 80 });
    fc.assert(
      fc.property(pairs, (given) => {
        const env = Object.fromEntries(given.map(([name, value]) => [`SERVICE_${name}`, value]));
        delete env.SERVICE_IGNORE;
        const found = services({ env, ports: [80] });
        expect(found.length).toBeGreaterThan(0);
        for (const service of found) {
          expect(service.name).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
          expect(service.name).not.toBe('consul');
          expect(Object.keys(service.meta).length).toBeLessThanOrEqual(64);
          for (const [metaKey, value] of Object.entries(service.meta)) {
            expect(metaKey).toMatch(/^[a-z0-9_-]{1,128}$/);
            expect(Buffer.byteLength(value)).toBeLessThanOrEqual(512);
          }
        }
      }),
      { numRuns: count(60, 1000) },
    );
  });
});

test('a container that is stopping has no services', () => {
  expect(define({ ...entryOf({ ports: [80] }), draining: true }, options).definitions).toEqual([]);
});

describe('the content hash', () => {
  const hash = (container: Parameters<typeof entryOf>[0]) => services(container)[0]?.meta['heddle-hash'];

  test('is the same for the same content', () => {
    expect(hash({ env: { SERVICE_A: '1', SERVICE_B: '2' } })).toBe(
      hash({ env: { SERVICE_B: '2', SERVICE_A: '1' } }),
    );
  });

  test.each([
    { env: { SERVICE_TAGS: 'x' } },
    { env: { SERVICE_A: '1' } },
    { ip: '10.2.1.2' },
    { ipv6: 'fd00::1' },
    { ports: [80] },
    { env: { SERVICE_WEIGHT: '2' } },
    { env: { SERVICE_ENABLE_TAG_OVERRIDE: 'true' } },
  ])('changes with %j', (container) => {
    expect(hash(container)).not.toBe(hash({}));
  });
});
