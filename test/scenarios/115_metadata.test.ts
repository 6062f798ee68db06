import { expect, test } from 'vitest';
import { reverseName } from '../../src/dns/lookup.ts';
import { ConsulAgent } from '../support/consul.ts';
import { dataOf, dig } from '../support/dig.ts';
import { docker, runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { startDaemon } from '../support/heddle.ts';
import { scenario } from '../support/scenario.ts';

const consul = new ConsulAgent();
const { daemon } = scenario({ consul, flags: ['--registry', consul.uri, '--ip', '192.0.2.7'] });

interface Entry {
  readonly ServiceAddress: string;
  readonly ServicePort: number;
  readonly ServiceTags: readonly string[];
  readonly ServiceMeta: Readonly<Record<string, string>>;
  readonly ServiceWeights: { readonly Passing: number; readonly Warning: number };
  readonly ServiceEnableTagOverride: boolean;
  readonly ServiceID: string;
}

/** Every service in the catalog but Consul's own: `name address:port tag,tag key=value …`, sorted. */
async function registered(): Promise<string[]> {
  const names = Object.keys(await consul.get<object>('/v1/catalog/services')).filter(
    (name) => name !== 'consul',
  );
  const lines = names.map(async (name) => {
    const entries = await consul.get<Entry[]>(`/v1/catalog/service/${name}`);
    return entries.map((entry) => {
      const { Passing, Warning } = entry.ServiceWeights;
      const parts = [
        `${name} ${entry.ServiceAddress}:${entry.ServicePort}`,
        entry.ServiceTags.join(),
        ...Object.entries(entry.ServiceMeta)
          .filter(([key]) => !key.startsWith('heddle-'))
          .map((pair) => pair.join('=')),
        Passing === 1 && Warning === 1 ? '' : `weights=${Passing},${Warning}`,
        entry.ServiceEnableTagOverride ? 'override' : '',
        entry.ServiceID.startsWith('heddle:') ? '' : `id=${entry.ServiceID}`,
      ];
      return parts.filter(Boolean).join(' ');
    });
  });
  return (await Promise.all(lines)).flat().sort();
}

const at = (address: string) => ['--net=none', '--label', `heddle.cidr=${address}`];
/** Docker switches IPv6 off in containers of networks without it. */
const IPV6 = ['--sysctl', 'net.ipv6.conf.all.disable_ipv6=0'];
const says = (...settings: readonly string[]) => settings.flatMap((setting) => ['-e', setting]);

test.each<[string, readonly string[], readonly string[]]>([
  [
    'every key, on a container of one port',
    [
      ...at('10.2.1.1/16'),
      ...says('SERVICE_NAME=hidden', 'SERVICE_TAGS=b,a\\,c , d', 'SERVICE_ID=web-1', 'SERVICE_WEIGHT=10,2'),
      ...says('SERVICE_ENABLE_TAG_OVERRIDE=true', 'SERVICE_REGION=eu', 'SERVICE_OWNER=env'),
      ...['--label', 'SERVICE_80_NAME=web', '--label', 'SERVICE_OWNER=label', '--expose', '80'],
    ],
    ['web 10.2.1.1:80 b,a,c,d owner=label region=eu weights=10,2 override id=web-1'],
  ],
  [
    'the narrower key, by port and protocol, and several names of one port',
    [
      ...at('10.2.1.1/16'),
      ...['--expose', '53/tcp', '--expose', '53/udp', '--expose', '80', '--expose', '81', '--expose', '82'],
      ...says('SERVICE_NAME=all', 'SERVICE_53_NAME=dns', 'SERVICE_53_udp_NAME=dns-udp', 'SERVICE_TAGS=t'),
      ...says('SERVICE_80_NAME=a,b', 'SERVICE_53_udp_TAGS=u', 'SERVICE_81_IGNORE=yes'),
    ],
    [
      'a 10.2.1.1:80 t',
      'all-82 10.2.1.1:82 t',
      'b 10.2.1.1:80 t',
      'dns 10.2.1.1:53 t',
      'dns-udp 10.2.1.1:53 u,udp',
    ],
  ],
  [
    'an address of its own, and no port',
    [...at('10.2.1.1/16'), ...says('SERVICE_NAME=elsewhere', 'SERVICE_ADDRESS=198.51.100.7/24')],
    ['elsewhere 198.51.100.7:0'],
  ],
  [
    "a port that is published, at the host's address",
    ['-p', '18080:80', ...says('SERVICE_NAME=public')],
    ['public 192.0.2.7:18080'],
  ],
  [
    'one published port of those that its image exposes: no group',
    ['-p', '18080:80', '--expose', '81', ...says('SERVICE_NAME=rabbit')],
    ['rabbit 192.0.2.7:18080'],
  ],
  [
    'ports that are published at certain addresses of its host',
    [
      ...['-p', '18080:80', '-p', '127.0.0.1:18090:90', '-p', '172.17.0.1:18091:91'],
      ...says('SERVICE_NAME=places'),
    ],
    ['places-80 192.0.2.7:18080', 'places-91 172.17.0.1:18091'],
  ],
  [
    'the network of its host',
    ['--net=host', '--expose', '8080', ...says('SERVICE_NAME=native')],
    ['native 192.0.2.7:8080'],
  ],
  [
    'an IPv6 address',
    [
      ...at('fd00:2::1/64'),
      ...[...IPV6, '--expose', '80'],
      ...says('SERVICE_NAME=six', 'SERVICE_CHECK_TCP=true', 'SERVICE_CHECK_INITIAL_STATUS=passing'),
    ],
    ['six fd00:2::1:80'],
  ],
  ['nothing at all: its image has a name', [...at('10.2.1.1/16')], ['busybox 10.2.1.1:0']],
])('a container with %s', async (_, flags, expected) => {
  await using _container = await runContainer(flags);
  await eventually(async () => expect(await registered()).toEqual(expected));
});

test('a container with IPv4 and IPv6 is found by both, in Consul and here, also after it loses one', async () => {
  const flags = [...at('10.2.1.1/16 fd00:2::1/64'), ...IPV6, '--expose', '80', ...says('SERVICE_NAME=both')];
  await using both = await runContainer(flags);
  const isFound = (...expected: readonly [string, string, readonly string[]][]) =>
    eventually(async () => {
      for (const port of [consul.dnsPort, daemon.dnsPort]) {
        for (const [name, type, data] of expected) {
          expect(dataOf(await dig(name, { type, port })), `${name} ${type} at ${port}`).toEqual(data);
        }
      }
    });
  const name = 'both.service.dc1.consul';
  await isFound(
    [name, 'A', ['10.2.1.1']],
    [name, 'AAAA', ['fd00:2::1']],
    [reverseName('10.2.1.1'), 'PTR', [`${name}.`]],
  );
  // Consul has only the reverse name of a service's own address.
  expect(dataOf(await daemon.dig(reverseName('fd00:2::1'), { type: 'PTR' }))).toEqual([`${name}.`]);
  expect((await daemon.command('services')).stdout).toMatch(/^both\s+10\.2\.1\.1,fd00:2::1\s+80\s/m);
  const dry = (await daemon.command('services', '--dry-run', both.name)).stdout;
  expect(dry).toContain('10.2.1.1 and fd00:2::1: ethwe has 10.2.1.1/16 and fd00:2::1/64\n');
  expect(dry).toContain('service both at 10.2.1.1 and fd00:2::1, port 80\n');
  expect((await daemon.command('detach', 'fd00:2::1/64', both.name)).status).toBe(0);
  await isFound([name, 'AAAA', []], [name, 'A', ['10.2.1.1']]);
});

test("a container that shares another container's network has its address", async () => {
  await using main = await runContainer([...at('10.2.1.1/16'), ...says('SERVICE_IGNORE=1')]);
  await using _sidecar = await runContainer([
    ...[`--net=container:${main.name}`, ...says('SERVICE_NAME=sidecar', 'SERVICE_9000_NAME=x')],
  ]);
  await eventually(async () => expect(await registered()).toEqual(['sidecar 10.2.1.1:0']));
});

test('a container of an image without a name is registered under its own name', async () => {
  const image = await docker('image', 'inspect', '--format', '{{.Id}}', 'busybox');
  await docker('run', '-d', '--name', 'only_me', ...at('10.2.1.1/16'), image, 'sleep', '600');
  await eventually(async () => expect(await registered()).toEqual(['only-me 10.2.1.1:0']));
});

test('with --service-prefix and --explicit, other metadata is ignored', async () => {
  await using _own = await runContainer([
    ...at('10.2.1.1/16'),
    ...says('OUR_NAME=own', 'SERVICE_NAME=theirs'),
  ]);
  await using _theirs = await runContainer([...at('10.2.1.2/16'), ...says('SERVICE_NAME=theirs')]);
  const before = ['theirs 10.2.1.1:0', 'theirs 10.2.1.2:0'];
  await eventually(async () => expect(await registered()).toEqual(before));
  await daemon[Symbol.asyncDispose]();
  await using _explicit = await startDaemon([
    '--registry',
    consul.uri,
    '--service-prefix',
    'OUR_',
    '--explicit',
  ]);
  // The previous daemon's state folder is gone, so its registrations count as another host's.
  await eventually(async () => expect(await registered()).toEqual(['own 10.2.1.1:0', ...before]));
});
