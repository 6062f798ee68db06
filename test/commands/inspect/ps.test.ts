import { expect, it } from 'vitest';
import { AnnouncedHost } from '../../../src/addresses/announced-host.ts';
import { chooseAddress } from '../../../src/addresses/choose-address.ts';
import { parsePolicy } from '../../../src/addresses/policy.ts';
import { containerJson, ps } from '../../../src/commands/inspect/ps.ts';
import type { ContainerReport, HostOperations } from '../../../src/operations/host-operations.ts';
import { collect } from '../../../src/runtime/io.ts';
import { snapshot } from '../../support/snapshot.ts';

const address = (ip: string, prefixLength = 16, name = 'eth0') => ({
  ip,
  prefixLength,
  family: 4 as const,
  interface: name,
});
const chosen = { chosen: true as const, ip: '10.2.1.1', reason: 'an address of ethwe', term: 'ethwe' };

const report = (
  given: Partial<ContainerReport['entry']>,
  problems: readonly string[] = [],
): ContainerReport =>
  ({
    entry: {
      snapshot: snapshot('a'.repeat(64), { name: 'web' }),
      addresses: [address('172.17.0.2'), address('10.2.1.9', 16, 'ethwe'), address('10.2.1.1', 16, 'ethwe')],
      choice: chosen,
      awaitingAddress: false,
      draining: false,
      problem: undefined,
      ...given,
    },
    services: [],
    wouldRegister: [],
    problems,
  }) as unknown as ContainerReport;

async function shown(...reports: readonly ContainerReport[]): Promise<readonly string[]> {
  const stdout = collect();
  const host = { containers: async () => reports, attachments: async () => [] } as unknown as HostOperations;
  await ps.run(host, { args: [], options: {} }, { stdout, stderr: collect() });
  return stdout.text.trimEnd().split('\n');
}

it('the announced address comes first', async () => {
  const [, row] = await shown(report({}));
  expect(row).toMatch(/^a{12} +web +10\.2\.1\.1\/16,172\.17\.0\.2\/16,10\.2\.1\.9\/16 +- +10\.2\.1\.1: /);
});

it('each problem has its own line below its container, and moves no column', async () => {
  const lines = await shown(report({}, ['SERVICE_PORT: no number', 'a\u001b[2Jb']), report({}));
  expect(lines).toEqual([
    expect.stringMatching(/ANNOUNCED AT$/),
    expect.stringMatching(/10\.2\.1\.1: an address of ethwe$/),
    '  problem: SERVICE_PORT: no number',
    '  problem: a?[2Jb',
    lines[1],
  ]);
});

it('a container that is not announced shows the reason, and its problems below', async () => {
  const paused = snapshot('a'.repeat(64), { name: 'web', paused: true });
  const lines = await shown(report({ snapshot: paused }, ['SERVICE_PORT: no number']));
  expect(lines.slice(1)).toEqual([
    expect.stringMatching(/not announced: it is paused$/),
    '  problem: SERVICE_PORT: no number',
  ]);
});

it.each([
  [
    'published',
    { given: '192.0.2.1' },
    /192\.0\.2\.1: it publishes a port on the host, whose address is 192\.0\.2\.1 by --ip$/,
  ],
  [
    'published',
    { advertised: '192.0.2.2' },
    /192\.0\.2\.2: it publishes .*, whose address is 192\.0\.2\.2 by Consul's agent$/,
  ],
  [
    'published',
    { advertised: '172.17.0.9' },
    /by the default route, as Consul's agent advertises 172\.17\.0\.9, which is not an address of this host$/,
  ],
  [
    'internal',
    { advertised: '127.0.0.1' },
    /the container shares the host's network, whose address is 192\.0\.2\.3 by the default route, as .* no other host can use$/,
  ],
])("a row says where the host's address comes from: %s, %j", async (policy, host, text) => {
  const { given, advertised }: { given?: string; advertised?: string } = host;
  const announced = new AnnouncedHost({
    ipOption: given,
    advertised: () => advertised,
    ownAddresses: () => new Set(['192.0.2.2', '192.0.2.3']),
    defaultRoute: async () => '192.0.2.3',
  });
  const published = [{ hostIp: '0.0.0.0', hostPort: 8080 }];
  const container = snapshot('a'.repeat(64), {
    name: 'web',
    ports: [{ port: 80, protocol: 'tcp', published }],
  });
  const choice = await chooseAddress(parsePolicy(policy), {
    snapshot: container,
    addresses: [],
    bridgeSubnets: async () => [],
    hostAddress: () => announced.find(),
    hostNetwork: policy === 'internal',
  });
  const [, row] = await shown(report({ snapshot: container, choice }));
  expect(row).toMatch(text);
});

it('JSON has the term of the policy under the key that scripts read', () => {
  expect(containerJson(report({}))).toMatchObject({
    announcedAt: { chosen: true, ip: '10.2.1.1', word: 'ethwe' },
  });
  const tried = [{ term: 'ethwe', why: 'no address on ethwe' }];
  expect(containerJson(report({ choice: { chosen: false, tried } }))).toMatchObject({
    announcedAt: { chosen: false, tried: [{ word: 'ethwe', why: 'no address on ethwe' }] },
  });
});
