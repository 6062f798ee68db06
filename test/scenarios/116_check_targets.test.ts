import { afterEach, describe, expect, test } from 'vitest';
import { clearWorld } from '../support/cleanup.ts';
import { ConsulAgent } from '../support/consul.ts';
import { dataOf } from '../support/dig.ts';
import { runContainer } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { startDaemon } from '../support/heddle.ts';

afterEach(() => clearWorld());

const says = (...settings: readonly string[]) => settings.flatMap((setting) => ['-e', setting]);
const LEAVE = [
  ...['SERVICE_CHECK_HTTP=/v1/agent/leave', 'SERVICE_CHECK_HTTP_METHOD=PUT', 'SERVICE_CHECK_INTERVAL=1s'],
  'SERVICE_CHECK_INITIAL_STATUS=passing',
];
const QUICK = ['--net=none', '--cap-drop=ALL', '--expose', '8500'];
/** A web server that redirects every client to the API of Consul's agent, keeping the method. */
const SENDS_ON = [
  'sh',
  '-c',
  `printf '#!/bin/sh\\nread -r line\\necho "$line" >>/asked\\ncat /r\\n' >/answer; chmod +x /answer
   printf 'HTTP/1.1 307 On\\r\\nLocation: http://127.0.0.1:8500/v1/agent/leave\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n' >/r
   exec nc -ll -p 8500 -e /answer`,
];

describe.each([
  ['embedded', []],
  ['in the catalog of Consul', ['--consul-mode', 'catalog']],
  ["with Consul's agent", ['--consul-mode', 'agent']],
])('%s', (_, flags) => {
  test('no container makes a Consul agent leave its cluster, by an address or by a redirect', async () => {
    await using consul = new ConsulAgent();
    await consul.start();
    const registry = flags.length > 0 ? ['--registry', consul.uri, ...flags] : [];
    await using daemon = await startDaemon(['--address', 'internal', ...registry]);
    await using direct = await runContainer([
      ...QUICK,
      ...says('SERVICE_NAME=direct', 'SERVICE_ADDRESS=127.0.0.1', ...LEAVE),
    ]);
    await using mapped = await runContainer([
      ...QUICK,
      ...says('SERVICE_NAME=mapped', 'SERVICE_ADDRESS=::ffff:127.0.0.1', ...LEAVE),
    ]);
    await using named = await runContainer([
      ...QUICK,
      ...says('SERVICE_NAME=named', 'SERVICE_ADDRESS=localhost', ...LEAVE),
    ]);
    await using redirect = await runContainer(
      [...['--cap-drop=ALL', '--expose', '8500'], ...says('SERVICE_NAME=redirect', ...LEAVE)],
      SENDS_ON,
    );
    // Its check runs and fails: the redirect is an answer like any other.
    await eventually(
      async () => expect(await redirect.exec('cat', '/asked')).toContain('PUT /v1/agent/leave'),
      {
        within: 10_000,
      },
    );
    await eventually(
      async () => expect(dataOf(await daemon.dig('redirect.service.dc1.consul'))).toEqual([]),
      { within: 10_000 },
    );
    for (const { name } of [direct, mapped, named]) {
      const { stdout } = await daemon.command('ps', name);
      expect(stdout).toMatch(/SERVICE_CHECK_HTTP is left out: checks may only target the container itself/);
    }
    const dry = await daemon.command('services', '--dry-run', direct.name);
    expect(dry.stdout).toContain(
      'note: SERVICE_CHECK_HTTP is left out: checks may only target the container itself, but 127.0.0.1 is a loopback address; ' +
        '--check-address-allow can allow its network\n',
    );
    expect(dry.stdout).not.toContain('  check ');
    expect((await daemon.command('explain', 'direct')).stdout).toContain(
      '  note: SERVICE_CHECK_HTTP is left out: ',
    );
    expect(daemon.output).toContain('127.0.0.1 is a loopback address');
    expect(daemon.output).toContain('localhost is a host name');
    // The agent logs that it has left, and then answers no request.
    expect(await consul.get('/v1/agent/members?wan=1')).toHaveLength(1);
    expect(consul.output).not.toMatch(/agent\/leave|server starting leave|Graceful/i);
    expect(named.name).toBeTruthy();
  });
});

test('checks run against allowed networks, by allowed methods', async () => {
  await using consul = new ConsulAgent();
  await consul.start();
  await using daemon = await startDaemon([
    ...['--address', 'internal', '--check-address-allow', '127.0.0.0/8', '--check-methods', 'GET,HEAD'],
  ]);
  const leader = [
    'SERVICE_ADDRESS=127.0.0.1',
    'SERVICE_CHECK_HTTP=/v1/status/leader',
    'SERVICE_CHECK_INTERVAL=1s',
  ];
  await using _read = await runContainer([...QUICK, ...says('SERVICE_NAME=read', ...leader)]);
  await using write = await runContainer([
    ...QUICK,
    ...says('SERVICE_NAME=write', 'SERVICE_ADDRESS=127.0.0.1', ...LEAVE),
  ]);
  await eventually(async () =>
    expect(dataOf(await daemon.dig('read.service.dc1.consul'))).toEqual(['127.0.0.1']),
  );
  expect((await daemon.command('explain', 'read')).stdout).toMatch(/http GET .*leader.*: passing$/m);
  expect((await daemon.command('ps', write.name)).stdout).toContain(
    '"PUT" is not one of --check-methods GET,HEAD',
  );
  await consul.stop();
  await eventually(async () => expect(dataOf(await daemon.dig('read.service.dc1.consul'))).toEqual([]));
});
