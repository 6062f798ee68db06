import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HOST_COMMANDS, runOnHost } from '../../src/cli/program.ts';
import { loadSettings } from '../../src/config/load.ts';
import { assembleParts } from '../../src/containers/parts.ts';
import { NameService } from '../../src/dns/name-service.ts';
import { WeaveNames } from '../../src/dns/names/weave-names.ts';
import { DockerClient } from '../../src/docker/client.ts';
import { HeddleError } from '../../src/errors.ts';
import { Claims } from '../../src/ipam/claims.ts';
import { type AddressRequest, parseRequest } from '../../src/ipam/request.ts';
import { formatCidr } from '../../src/network/cidr.ts';
import { DaemonHost, type DaemonHostNeeds } from '../../src/operations/daemon-host.ts';
import type { HostOperations } from '../../src/operations/host-operations.ts';
import { Roster } from '../../src/roster/roster.ts';
import { collect } from '../../src/runtime/io.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { MemoryState } from '../../src/state/state.ts';
import { nameServiceNeeds } from '../dns/name-service-needs.ts';
import { RecordedView } from '../dns/recorded-view.ts';
import { count } from '../support/counts.ts';
import { FakeNetworkEngine } from '../support/fake-network.ts';
import { answer, json, RawServer } from '../support/raw-server.ts';
import { containerId, entryFor, snapshot } from '../support/snapshot.ts';

/** The operations of the daemon over a fake engine and no kernel. The engine knows one container, which has stopped. */

const STOPPED = { Id: containerId('c0ffee'), Name: '/web', State: {}, Config: {}, HostConfig: {} };
const NOT_FOUND = answer('404 Not Found', 'application/json', '{"message":"No such container"}');

let engine: RawServer;
let host: HostOperations;
let state: MemoryState;
let network: FakeNetworkEngine;

beforeEach(async () => {
  engine = await RawServer.start((line) => {
    if (line === 'GET /version') return json({ ApiVersion: '1.41', MinAPIVersion: '1.12' });
    if (/ (\/v[\d.]+)?\/info$/.test(line)) return json({ ID: 'E1', Name: 'host' });
    if (/\/containers\/(web|c0ffee0*)\/json$/.test(line)) return json(STOPPED);
    return NOT_FOUND;
  });
  const flags = { dns: false, resolvConf: '/dev/null', stateDir: '/nowhere', socket: '/nowhere/heddle.sock' };
  const { settings } = await loadSettings({ flags, env: {} });
  state = new MemoryState();
  const claims = new Claims(state);
  const roster = new Roster();
  roster.complete = true;
  roster.set(entryFor(snapshot('c0ffee', { name: 'web', pid: 0, running: false })));
  network = new FakeNetworkEngine();
  const needs = { claims, roster, log: silentLogger, advertised: () => undefined };
  const client = new DockerClient({ kind: 'unix', path: engine.path });
  const parts = { ...assembleParts(settings, { ...needs, client }), network };
  const containerNames = new WeaveNames({ roster, state, log: silentLogger }, { domain: 'weave.local' });
  const names = new NameService(
    nameServiceNeeds({ view: new RecordedView([]), names: containerNames.table }),
    settings,
  );
  host = new DaemonHost(
    {
      containers: {
        parts,
        claims,
        roster,
        follower: { inspect: async () => {}, status: () => ({ stream: 'following', synced: true }) },
        impostors: { problems: () => ['it answers for 10.2.1.1'] },
        keeper: { exclusively: (act: () => Promise<unknown>) => act() },
      },
      registration: {
        registry: { name: 'embedded' },
        desired: {
          size: 0,
          get: () => undefined,
          ofContainer: () => [],
          wouldRegister: () => [],
          problems: () => [],
        },
        reconciler: {
          status: () => ({
            state: 'synced',
            pending: 0,
            errors: new Map(),
            unsynced: [],
            problem: undefined,
          }),
        },
        remote: undefined,
        view: { instances: async () => [] },
      },
      dns: { names, containerNames },
      consul: { collectLeftovers: async () => [], clock: async () => [] },
    } as unknown as DaemonHostNeeds,
    { settings: settings.effective, hostId: 'h1', bridge: 'weave', onlyPassing: false },
  );
});
afterEach(() => engine[Symbol.asyncDispose]());

const hostile = fc.oneof(
  fc.constantFrom(
    '',
    '/',
    '..',
    '../../etc/passwd',
    '/web/json',
    'web?x',
    'web#',
    '%2e%2e',
    'a b',
    'wéb',
    '\u0000',
  ),
  fc.constantFrom(
    '\t',
    '\n',
    '\u001b[2J',
    '\u009b1m',
    '\u202eweb',
    '\ud800',
    'a'.repeat(65_536),
    '__proto__',
    '{{',
  ),
  fc.constantFrom(
    'web',
    '/web',
    'c0ffee',
    'weave:expose',
    '10.2.1.1',
    '10.2.1.1/16',
    '10.2.1.1/99',
    'net:default',
  ),
  fc.constantFrom(
    '999.1.1.1/8',
    '::1',
    'fe80::1%eth0',
    '0.0.0.0/0',
    'net:',
    'ip:10.2.1.1/16',
    '-',
    '--',
    'none',
  ),
  fc.constantFrom(
    'a.b.c.d.e.weave.local',
    '.',
    '..consul',
    `${'x'.repeat(64)}.consul`,
    '1.1.2.10.in-addr.arpa',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
);

it.each(HOST_COMMANDS.map(({ name }) => name))(
  '%s ends with a sentence, whatever its arguments are',
  async (name) => {
    const args = fc.array(
      fc.oneof(hostile, fc.constantFrom('-h', '-f', '--format', '--dry-run', '--force')),
      {
        maxLength: 4,
      },
    );
    const property = fc.asyncProperty(args, async (given) => {
      const [stdout, stderr] = [collect(), collect()];
      const status = await runOnHost([name, ...given], host, { stdout, stderr });
      expect([0, 1, 2, 3, 4], stderr.text).toContain(status);
      expect(stderr.text).not.toMatch(/unexpected failure|TypeError|RangeError|^\s+at /m);
      expect(stdout.text + stderr.text).not.toMatch(/[^\n\t\P{Cc}]/u);
    });
    await fc.assert(property, { numRuns: count(25, 300) });
  },
  120_000,
);

const requests = fc.array(
  fc
    .constantFrom('10.2.1.1/16', '10.2.1.2/16', 'net:default', 'net:10.3.0.0/24', '10.32.0.1/12')
    .map(parseRequest),
  { maxLength: 3 },
);
/** The command line validates addresses; every other text is passed on as the caller wrote it. */
const named = fc.record(
  { ips: fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 2 }), container: hostile, name: hostile },
  { requiredKeys: ['ips'] },
);
/** The operations that take text of the caller, called without the checks of the command line. */
const OPERATIONS: readonly (readonly [
  string,
  fc.Arbitrary<readonly unknown[]>,
  (given: never) => Promise<unknown>,
])[] = [
  ['attach', fc.tuple(hostile, requests), ([name, all]: [string, never]) => host.addresses.attach(name, all)],
  ['detach', fc.tuple(hostile, requests), ([name, all]: [string, never]) => host.addresses.detach(name, all)],
  ['start', fc.tuple(hostile, requests), ([name, all]: [string, never]) => host.addresses.start(name, all)],
  ['restart', fc.tuple(hostile), ([name]: [string]) => host.addresses.restart(name)],
  [
    'expose',
    fc.tuple(requests, hostile),
    ([all, name]: [never, string]) => host.addresses.expose(all, { name }),
  ],
  ['hide', fc.tuple(requests), ([all]: [never]) => host.addresses.hide(all)],
  ['check', fc.tuple(requests), ([all]: [never]) => host.addresses.check(all)],
  ['addName', fc.tuple(named), ([request]: [never]) => host.addName(request)],
  ['removeName', fc.tuple(named), ([request]: [never]) => host.removeName(request)],
  ['lookUp', fc.tuple(hostile), ([text]: [string]) => host.lookUp(text)],
  ['ask', fc.tuple(hostile), async ([text]: [string]) => host.ask(text)],
  ['instances', fc.tuple(hostile), ([text]: [string]) => host.instances(text)],
  ['registration', fc.tuple(hostile), async ([text]: [string]) => host.registration(text)],
  [
    'collectLeftovers',
    fc.tuple(hostile),
    ([hostId]: [string]) => host.collectLeftovers({ hostId }, { dryRun: true }),
  ],
];

it.each(OPERATIONS)(
  'the operation %s succeeds, or fails with an error of the one family',
  async (_, given, operate) => {
    const property = fc.asyncProperty(given, async (values) => {
      await operate(values as never).catch((error: unknown) => {
        expect(error).toBeInstanceOf(HeddleError);
      });
    });
    await fc.assert(property, { numRuns: count(60, 1_000) });
    // A rejected call has changed nothing that other calls see.
    expect(await host.containers()).toMatchObject([{ entry: { snapshot: { name: 'web' } } }]);
    expect(JSON.stringify(state.current)).not.toMatch(/\\u0000|\\ud800/);
  },
  120_000,
);

it.each([
  ['an address', 'gate', { code: 'failed' }],
  ['the name', 'gate.example.com', { code: 'bad-input' }],
] as const)('leaves the bridge as it was where %s is refused', async (_, name, refusal) => {
  const [first, ...others] = ['10.2.0.1/16', '10.3.0.1/16', 'fd00:2::1/64'].map(parseRequest);
  await host.addresses.expose([first as AddressRequest], { name: 'before' });
  const before = state.current;
  // The kernel assigns the addresses that it can, even if others fail.
  const given = FakeNetworkEngine.prototype.expose.bind(network);
  vi.spyOn(network, 'expose').mockImplementation(async (cidrs) => {
    await given(cidrs.filter(({ family }) => family === 4));
    throw new HeddleError('failed', 'IPv6 is disabled on this device');
  });
  const exposing = host.addresses.expose([first as AddressRequest, ...others], { name, masquerade: false });
  await expect(exposing).rejects.toMatchObject(refusal);
  expect((await network.hostAddresses('weave')).map(formatCidr)).toEqual(['10.2.0.1/16']);
  expect(state.current).toEqual(before);
});

it("shows in ps and doctor that a container answers for another's address", async () => {
  expect(await host.containers()).toMatchObject([{ problems: ['it answers for 10.2.1.1'] }]);
  expect(await host.doctor()).toContainEqual(expect.objectContaining({ subject: 'neighbours', state: 'ok' }));
});
