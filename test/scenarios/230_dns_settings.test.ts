import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reverseName } from '../../src/dns/lookup.ts';
import { clearWorld } from '../support/cleanup.ts';
import { type ConsulAgent, startConsul } from '../support/consul.ts';
import { dataOf } from '../support/dig.ts';
import { removeContainers, restartEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { type Daemon, heddle, startDaemon } from '../support/heddle.ts';
import { succeed } from '../support/program.ts';

/** A Consul that heddle does not register with, and that answers for a second domain. */
let consul: ConsulAgent;

beforeAll(async () => {
  const configuration = 'alt_domain = "corp.example." dns_config { service_ttl { "*" = "1s" } }';
  consul = await startConsul({ portOffset: 2000, configuration });
  await consul.put('/v1/agent/service/register', { Name: 'far', Address: '203.0.113.5', Port: 443 });
});
afterAll(async () => {
  await consul?.stop();
  await clearWorld();
});

describe('the settings of service names', () => {
  let daemon: Daemon;
  beforeAll(async () => {
    const ttls = ['--service-ttl', 'web=30s,api*=10', '--service-ttl', '*=1m', '--node-ttl', '15'];
    daemon = await startDaemon(['--alt-domain', 'heddle.test', '--only-passing', ...ttls]);
    await daemon.run(['10.2.1.1/16'], ['-e', 'SERVICE_NAME=web', '--expose', '80']);
    await daemon.run(['10.2.1.2/16'], ['-e', 'SERVICE_NAME=api-v2']);
    await daemon.run(['10.2.1.3/16'], ['-e', 'SERVICE_NAME=other']);
  });
  afterAll(async () => {
    await removeContainers();
    await daemon?.[Symbol.asyncDispose]();
  });

  test.each([
    ['web', 30],
    ['api-v2', 10],
    ['other', 60],
  ])('%s has the TTL %i', async (name, ttl) => {
    await eventually(async () => {
      expect((await daemon.dig(`${name}.service.consul`)).answers).toMatchObject([{ ttl }]);
    });
    expect((await daemon.dig('0a020101.addr.dc1.consul')).answers).toMatchObject([{ ttl: 15 }]);
  });

  test('with --only-passing, a container that is still starting is not answered', async () => {
    const health = [
      '--health-cmd',
      'test -e /tmp/up',
      '--health-interval',
      '500ms',
      '--health-retries',
      '99',
    ];
    await using late = await daemon.run(['10.2.1.4/16'], ['-e', 'SERVICE_NAME=late', ...health]);
    await eventually(async () =>
      expect((await daemon.command('services')).stdout).toMatch(/late.*10\.2\.1\.4/),
    );
    expect((await daemon.dig('late.service.consul')).status).toBe('NXDOMAIN');
    await late.exec('touch', '/tmp/up');
    await eventually(async () =>
      expect(dataOf(await daemon.dig('late.service.consul'))).toEqual(['10.2.1.4']),
    );
  });

  test('an unknown address in an attached network is not forwarded', async () => {
    const { status, flags } = await daemon.dig(reverseName('10.2.9.9'), { type: 'PTR' });
    expect([status, flags]).toEqual(['NXDOMAIN', expect.arrayContaining(['aa'])]);
  });

  test('a second domain has the same answers', async () => {
    await eventually(async () => {
      expect(dataOf(await daemon.dig('web.service.dc1.heddle.test'))).toEqual(['10.2.1.1']);
    });
    expect((await daemon.dig('nope.service.heddle.test')).status).toBe('NXDOMAIN');
  });
});

describe('names of other servers', () => {
  let daemon: Daemon;
  beforeAll(async () => {
    const server = `127.0.0.1:${consul.dnsPort}`;
    daemon = await startDaemon([
      ...['--forward', `corp.example=${server}`],
      ...['--consul-dns', server, '--alt-domain', 'heddle.test'],
      ...['--resolv-conf', '/dev/null'],
    ]);
  });
  afterAll(() => daemon?.[Symbol.asyncDispose]());

  test('--forward sends one domain to its own server, and no other domain', async () => {
    expect(dataOf(await daemon.dig('far.service.corp.example'))).toEqual(['203.0.113.5']);
    expect((await daemon.dig('far.service.example')).status).toBe('SERVFAIL');
  });

  test('prepared queries and names of other datacenters are forwarded to Consul', async () => {
    const url = `http://127.0.0.1:${consul.httpPort}/v1/query`;
    const body = JSON.stringify({ Name: 'find-far', Service: { Service: 'far' } });
    expect((await fetch(url, { method: 'POST', body })).status).toBe(200);
    expect(dataOf(await daemon.dig('find-far.query.consul'))).toEqual(['203.0.113.5']);
    expect((await daemon.dig('find-far.query.heddle.test')).answers).toMatchObject([
      { name: 'find-far.query.heddle.test.', data: '203.0.113.5' },
    ]);
    expect((await daemon.dig('nope.query.consul')).status).toBe('NXDOMAIN');
    expect((await daemon.dig('far.service.dc2.consul')).status).toBe('NXDOMAIN');
  });

  test("the address of a service's sidecar is forwarded to Consul", async () => {
    const Check = { TTL: '1h', Status: 'passing' };
    const Connect = { SidecarService: { Port: 20_000, Check } };
    const mesh = { Name: 'mesh', Address: '203.0.113.6', Port: 443, Connect };
    await consul.put('/v1/agent/service/register', mesh);
    const srv = { type: 'SRV' };
    const theirs = await daemon.dig('mesh.connect.consul', { ...srv, port: consul.dnsPort });
    expect(dataOf(theirs)).toEqual([expect.stringMatching(/^1 1 20000 /)]);
    expect(dataOf(await daemon.dig('mesh.connect.consul', srv))).toEqual(dataOf(theirs));
  });

  test("an address of another host's service resolves to Consul's name for it", async () => {
    await consul.put('/v1/agent/service/register', { Name: 'remote', Address: '10.33.9.9', Port: 80 });
    const nameOf = (ip: string) => daemon.dig(reverseName(ip), { type: 'PTR' });
    const found = dataOf(await nameOf('10.33.9.9'));
    expect(found).toEqual([expect.stringMatching(/^remote\.service\.dc1\./)]);
    expect((await nameOf('10.33.9.8')).status).toBe('NXDOMAIN');
  });

  test('a service whose address is an external hostname is answered with its addresses from upstream', async () => {
    const name = 'far.service.corp.example';
    await using _ = await daemon.run([], ['-e', 'SERVICE_NAME=outside', '-e', `SERVICE_ADDRESS=${name}`]);
    await eventually(async () => {
      expect((await daemon.dig('outside.service.consul')).answers).toMatchObject([
        { type: 'CNAME', data: `${name}.` },
        { name: `${name}.`, type: 'A', data: '203.0.113.5' },
      ]);
    });
  });

  test('earlier answers are served while no upstream answers', async () => {
    const name = 'far.service.corp.example';
    expect(dataOf(await daemon.dig(name))).toEqual(['203.0.113.5']);
    consul.freeze();
    try {
      await delay(1_500);
      const { answers } = await daemon.dig(name);
      expect(answers).toMatchObject([{ ttl: 30, data: '203.0.113.5' }]);
      const started = performance.now();
      expect((await daemon.dig(name)).answers).toMatchObject([{ ttl: 30 }]);
      expect(performance.now() - started).toBeLessThan(1_000);
    } finally {
      consul.thaw();
    }
    await eventually(async () => expect((await daemon.dig(name)).answers).toMatchObject([{ ttl: 1 }]));
  });
});

describe('dns-args', () => {
  const dnsArgs = async (daemon: Daemon, ...args: string[]) => await daemon.command('dns-args', ...args);

  test('prints the configured search domains, unless docker gets others', async () => {
    await using daemon = await startDaemon(['--dns-search', 'weave.local', '--dns-search', 'corp.example']);
    const { stdout } = await dnsArgs(daemon, '-d', 'busybox');
    expect(stdout).toMatch(/^--dns \S+ --dns-search=weave\.local --dns-search=corp\.example\n$/);
    expect((await dnsArgs(daemon, '--dns-search=x', 'busybox')).stdout).toMatch(/^--dns \S+\n$/);
  });

  test('prints nothing where no DNS is served (weave#205)', async () => {
    await using daemon = await startDaemon(['--no-dns']);
    expect(await dnsArgs(daemon)).toEqual({ status: 0, stdout: '\n', stderr: '' });
  });

  test('prints the address of a bridge with only IPv6, also after the bridge is made again', async () => {
    const make = async () => {
      await succeed('ip', ['link', 'add', 'six0', 'type', 'bridge']);
      await succeed('ip', ['address', 'add', 'fd00:5::1/64', 'dev', 'six0', 'nodad']);
      await succeed('ip', ['link', 'set', 'six0', 'up']);
    };
    await make();
    try {
      await using daemon = await startDaemon(['--docker-bridge', 'six0']);
      expect((await dnsArgs(daemon)).stdout).toBe('--dns fd00:5::1 --dns-search=.\n');
      const there = { server: 'fd00:5::1', port: 53 };
      expect((await daemon.dig('nope.service.consul', there)).status).toBe('NXDOMAIN');
      await succeed('ip', ['link', 'delete', 'six0']);
      const answered = async () => (await daemon.command('status', 'dns')).stdout.includes('[fd00:5::1]:53');
      await eventually(async () => expect(await answered()).toBe(false));
      await make();
      await eventually(async () => {
        expect((await daemon.dig('nope.service.consul', there)).status).toBe('NXDOMAIN');
      });
    } finally {
      await succeed('ip', ['link', 'delete', 'six0']);
    }
  });

  test('reports that there is no such bridge', async () => {
    await using daemon = await startDaemon(['--docker-bridge', 'nosuch0']);
    const { status, stdout, stderr } = await dnsArgs(daemon);
    expect([status, stdout]).toEqual([3, '']);
    expect(stderr).toContain('the bridge nosuch0 has no address, or there is no such device');
  });

  test('prints the address of the weave bridge as soon as Docker uses it as its own', async () => {
    expect((await heddle(['create-bridge'])).status).toBe(0);
    await succeed('ip', ['address', 'add', '10.2.0.1/16', 'dev', 'weave']);
    await using daemon = await startDaemon();
    expect((await dnsArgs(daemon)).stdout).not.toContain('10.2.0.1');
    await restartEngine(['--bridge=weave', '--fixed-cidr=10.2.128.0/17']);
    try {
      await eventually(async () => {
        expect((await dnsArgs(daemon)).stdout).toBe('--dns 10.2.0.1 --dns-search=.\n');
      });
      await using client = await daemon.run(['--with-dns', '10.2.1.1/16'], ['-e', 'SERVICE_NAME=web']);
      await eventually(async () => {
        expect(await client.exec('nslookup', 'web.service.dc1.consul')).toContain('10.2.1.1');
      });
    } finally {
      await removeContainers();
      await restartEngine();
    }
  });
});
