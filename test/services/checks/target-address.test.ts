import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCidr } from '../../../src/network/cidr.ts';
import { type CheckBounds, whyNotChecked } from '../../../src/services/checks/target-address.ts';
import { define } from '../../../src/services/define.ts';
import type { DefineOptions } from '../../../src/services/definition.ts';
import { entryOf } from '../../support/roster.ts';

const HOST = '192.0.2.7';
const bounds: CheckBounds = {
  hostAddresses: () => new Set(['127.0.0.1', '::1', HOST, '172.17.0.1', '10.2.0.1']),
};
const options: DefineOptions = { hostId: 'h1', runs: () => true, checkBounds: bounds };

const urls = (container: Parameters<typeof entryOf>[0], more: Partial<DefineOptions> = {}) => {
  const { definitions, problems } = define(entryOf(container), { ...options, ...more });
  const targets = definitions.flatMap(({ service }) =>
    service.checks.map((check) =>
      'url' in check ? check.url : 'target' in check ? check.target : check.kind,
    ),
  );
  return { targets, problems, foreign: definitions.map(({ service }) => service.isForeignAddress === true) };
};
const LEAVE = { SERVICE_CHECK_HTTP: '/v1/agent/leave', SERVICE_CHECK_HTTP_METHOD: 'PUT' };

describe("a check of an address that is not the container's own", () => {
  test.each([
    ['loopback', '127.0.0.1', 'a loopback address'],
    ['all of loopback', '127.8.9.1', 'a loopback address'],
    ['loopback in IPv6', '::1', 'a loopback address'],
    ['loopback in brackets', '[::1]', 'a loopback address'],
    ['loopback as IPv4 inside IPv6', '::ffff:127.0.0.1', '127.0.0.1 is a loopback address'],
    ['the same in hex', '[::ffff:7f00:1]', '127.0.0.1 is a loopback address'],
    ['with a prefix length', '127.0.0.1/8', 'a loopback address'],
    ['metadata services', '169.254.169.254', 'a link-local address'],
    ['link-local in IPv6', 'fe80::1', 'a link-local address'],
    ["a cloud's metadata service in IPv6", 'fd00:ec2::254', "not the container's own address"],
    ['multicast', '224.0.0.1', 'a multicast address'],
    ['broadcast', '255.255.255.255', 'a broadcast address'],
    ["the host's", HOST, `publishes no port at ${HOST}:80`],
    ["the bridge's", '172.17.0.1', 'publishes no port at 172.17.0.1:80'],
    ["another machine's", '8.8.8.8', "not the container's own address"],
    ["another container's", '10.2.1.2', "not the container's own address"],
    ['NAT64 of loopback', '64:ff9b::7f00:1', "not the container's own address"],
    ['a name', 'localhost', 'is a host name'],
    ['a name elsewhere', 'metadata.google.internal', 'is a host name'],
  ])('is left out: %s', (_, address, why) => {
    for (const env of [
      LEAVE,
      { SERVICE_CHECK_TCP: 'true' },
      { SERVICE_CHECK_GRPC: '1', SERVICE_CHECK_H2PING: '1' },
    ]) {
      const { targets, problems, foreign } = urls({ ports: [80], env: { SERVICE_ADDRESS: address, ...env } });
      expect(targets).toEqual([]);
      expect(foreign).toEqual([true]);
      expect(problems).not.toEqual([]);
      for (const problem of problems) {
        expect(problem).toContain(why);
        expect(problem).toMatch(
          /^SERVICE_CHECK_\w+ is left out: checks may only target the container itself/,
        );
      }
    }
  });

  test.each([
    '0177.0.0.1',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '127.1',
    '0',
    '0.0.0.0',
    '::',
    '::ffff:0.0.0.0',
    '::1%lo',
  ])('in an old notation is refused: %s; the chosen one is checked', (address) => {
    const { targets, problems, foreign } = urls({ ports: [80], env: { SERVICE_ADDRESS: address, ...LEAVE } });
    expect(targets).toEqual(['http://10.2.1.1:80/v1/agent/leave']);
    expect(problems).toEqual([expect.stringContaining('is refused')]);
    expect(foreign).toEqual([false]);
  });

  test('is left out for a label, for one port, and if no address could be chosen', () => {
    for (const env of [{ SERVICE_80_ADDRESS: '127.0.0.1' }, { SERVICE_80_TCP_ADDRESS: '127.0.0.1' }]) {
      expect(urls({ ports: [80], env: { ...env, ...LEAVE } }).targets).toEqual([]);
    }
    expect(urls({ ip: null, ports: [80], env: { SERVICE_ADDRESS: '127.0.0.1', ...LEAVE } }).targets).toEqual(
      [],
    );
    const label = { env: { announce: '127.0.0.1', ...LEAVE }, ports: [80] };
    expect(urls(label, { addressLabel: 'announce' }).targets).toEqual([]);
  });

  test('is left out for the host of a Marathon task, unless it is this host', () => {
    const task = (ip: string) => ({
      ...{ ip, hostPorts: true, ports: ['80>8080'] },
      env: { MARATHON_APP_ID: '/a', HOST: ip, SERVICE_CHECK_TCP: '1' },
    });
    expect(urls(task('169.254.169.254')).targets).toEqual([]);
    expect(urls(task('10.66.0.1')).targets).toEqual([]);
    expect(urls(task(HOST)).targets).toEqual([`${HOST}:8080`]);
    expect(urls(task('203.0.113.1'), { checkBounds: { ...bounds, hostIp: '203.0.113.1' } }).targets).toEqual([
      '203.0.113.1:8080',
    ]);
  });

  test("that a container gave itself is left out if it is the host's or assigned to another container", () => {
    const taken: CheckBounds = { ...bounds, assignedTo: (ip) => (ip === '10.2.1.1' ? 'another' : undefined) };
    const container = { ports: [80], env: { SERVICE_CHECK_TCP: '1' } };
    expect(urls(container).targets).toEqual(['10.2.1.1:80']);
    expect(urls(container, { checkBounds: taken }).problems).toEqual([
      expect.stringContaining("10.2.1.1 is another container's address"),
    ]);
    expect(urls({ ...container, ip: '10.2.0.1' }).problems).toEqual([
      expect.stringContaining("10.2.0.1 is the host's address"),
    ]);
    const docker = { ...container, networks: [{ name: 'bridge', ipv4: '10.2.1.1', ipv6: '' }] };
    expect(urls(docker, { checkBounds: taken }).targets).toEqual(['10.2.1.1:80']);
  });

  test.each([
    ['over udp', 'udp', '0.0.0.0', HOST],
    ['at every IPv6 address', 'tcp', '::', HOST],
    ['at every IPv4 address', 'tcp', '0.0.0.0', 'fd00:66::1'],
  ] as const)('of the host is left out if the port is published only %s', (_, protocol, hostIp, address) => {
    const entry = entryOf({});
    const ports = [{ port: 8500, protocol, published: [{ hostIp, hostPort: 8500 }] }];
    const hostAddresses = () => new Set([HOST, 'fd00:66::1']);
    const snapshot = { ...entry.snapshot, ports };
    expect(
      whyNotChecked({ address, port: 8500 }, { ...entry, snapshot }, { ...bounds, hostAddresses }),
    ).toContain(`the container publishes no port at ${address}:8500`);
  });

  test('in a shared namespace is left out if neither Docker nor heddle assigned it', () => {
    const container = { ports: [80], env: { SERVICE_CHECK_TCP: '1' } };
    expect(urls(container, { checkBounds: { ...bounds, assignedTo: () => 'unsure' } }).problems).toEqual([
      expect.stringContaining('the container may have added it itself (NET_ADMIN)'),
    ]);
  });

  test('that a container with NET_ADMIN may have added itself is left out, unless it was assigned', () => {
    const container = { ports: [80], hasNetAdmin: true, env: { SERVICE_CHECK_TCP: '1' } };
    expect(urls(container).problems).toEqual([
      expect.stringContaining('the container may have added it itself (NET_ADMIN)'),
    ]);
    expect(urls(container, { checkBounds: { ...bounds, assignedTo: () => 'this' } }).targets).toEqual([
      '10.2.1.1:80',
    ]);
    const docker = { ...container, networks: [{ name: 'bridge', ipv4: '10.2.1.1', ipv6: '' }] };
    expect(urls(docker).targets).toEqual(['10.2.1.1:80']);
  });

  test.each([
    ['127.0.0.0/8', '127.0.0.1', true],
    ['10.0.0.0/8', '127.0.0.1', false],
    ['::1/128', '::1', true],
    ['127.0.0.0/8', '::ffff:127.0.0.1', true],
    ['0.0.0.0/0', 'db.example.com', false],
    ['0.0.0.0/0,::/0', 'db.example.com', true],
  ])('with --check-address-allow %s, %s is checked: %s', (allow, address, isChecked) => {
    const allowed = allow.split(',').map(parseCidr);
    const container = { ports: [80], env: { SERVICE_ADDRESS: address, SERVICE_CHECK_TCP: '1' } };
    const { targets, foreign } = urls(container, { checkBounds: { ...bounds, allowed } });
    expect(targets).toHaveLength(isChecked ? 1 : 0);
    expect(foreign).toEqual([true]);
  });

  test('is never reached, whatever address and port a container names', () => {
    const byte = fc.nat(255);
    const address = fc.oneof(
      fc.tuple(byte, byte, byte, byte).map((bytes) => bytes.join('.')),
      fc.ipV6(),
      fc.ipV4Extended(),
      fc.domain(),
      fc.string(),
    );
    fc.assert(
      fc.property(address, fc.nat(70_000), fc.webPath(), (named, port, path) => {
        const env = {
          SERVICE_ADDRESS: named,
          SERVICE_CHECK_HTTP: path,
          SERVICE_CHECK_TCP: '1',
          SERVICE_CHECK_PORT: `${port}`,
        };
        for (const target of urls({ ports: [80], env }).targets) {
          const host = target.startsWith('http') ? new URL(target).hostname : target.replace(/:\d+$/, '');
          expect(host).toBe('10.2.1.1');
        }
      }),
    );
  });
});

describe("a check of the host's address", () => {
  const shared = { networkMode: 'host', ip: HOST, ports: [80] };

  test('reaches the ports that a container publishes there, and no other', () => {
    const container = { ip: HOST, hostPorts: true, ports: ['80>8080', '90>127.0.0.1:9090', 443] };
    const env = { SERVICE_CHECK_TCP: '1' };
    expect(urls({ ...container, env }).targets).toEqual([`${HOST}:8080`]);
    const own = { ...env, SERVICE_ADDRESS: HOST };
    expect(urls({ ...container, env: own })).toMatchObject({ targets: [`${HOST}:8080`], foreign: [false] });
    for (const port of ['90', '443', '8500', '8080']) {
      const asked = urls({
        ...container,
        ports: ['80>8080', '90>127.0.0.1:9090'],
        env: { ...env, SERVICE_80_CHECK_PORT: port },
      });
      expect(asked.targets).toEqual([]);
      expect(asked.problems).toContainEqual(
        expect.stringContaining(`port ${port} of SERVICE_80_CHECK_PORT is not published`),
      );
    }
    const admin = { ...env, SERVICE_80_CHECK_PORT: '81', SERVICE_81_IGNORE: '1' };
    expect(urls({ ip: HOST, hostPorts: true, ports: ['80>8080', '81>8081'], env: admin }).targets).toEqual([
      `${HOST}:8081`,
    ]);
  });

  test("is the own address of a container in the host's network, except loopback", () => {
    expect(urls({ ...shared, env: LEAVE }).targets).toEqual([`http://${HOST}:80/v1/agent/leave`]);
    const { targets, problems } = urls({ ...shared, env: { ...LEAVE, SERVICE_ADDRESS: '127.0.0.1' } });
    expect(targets).toEqual([]);
    expect(problems).toEqual([expect.stringContaining('127.0.0.1 is a loopback address')]);
  });
});

test("the kernel's list of addresses is the default", () => {
  expect(whyNotChecked({ address: '127.0.0.1', port: 80 }, entryOf())).toContain('loopback');
});
