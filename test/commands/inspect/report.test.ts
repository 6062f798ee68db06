import { expect, it } from 'vitest';
import { report } from '../../../src/commands/inspect/report.ts';
import type { HostOperations } from '../../../src/operations/host-operations.ts';
import { collect } from '../../../src/runtime/io.ts';

const host = {
  status: async () => ({
    version: '0.1.0',
    daemon: null,
    dns: [
      { address: '10.2.0.1:53', state: 'failed', udp: null, detail: '' },
      { address: '172.17.0.1:53', state: 'listening', udp: 'in batches', detail: '' },
    ],
    ipam: { range: '10.32.0.0/12', defaultSubnet: '10.32.5.0/24', owners: [] },
  }),
  containers: async () => [],
  attachments: async () => [],
  settings: async () => [],
  names: async () => ({
    domain: 'weave.local',
    upstreams: ['8.8.8.8', '8.8.4.4'],
    entries: [
      { name: 'web.weave.local', ip: '10.2.1.1', owner: 'c'.repeat(64) },
      { name: 'printer.weave.local', ip: '10.9.9.9', owner: '' },
    ],
  }),
};

async function printed(template: string, of: object = host): Promise<string> {
  const stdout = collect();
  await report.run(
    of as unknown as HostOperations,
    { args: [], options: { f: template } },
    { stdout, stderr: stdout },
  );
  return stdout.text;
}

const DNS = {
  Domain: 'weave.local.',
  Upstream: ['8.8.8.8', '8.8.4.4'],
  Address: '172.17.0.1:53',
  TTL: 1,
  Entries: [
    { Hostname: 'web.weave.local.', ContainerID: 'c'.repeat(64), Address: '10.2.1.1', Tombstone: 0 },
    { Hostname: 'printer.weave.local.', ContainerID: 'weave:extern', Address: '10.9.9.9', Tombstone: 0 },
  ],
};

it.each([
  ['{{.DNS.Domain}}', 'weave.local.'],
  ['{{json .DNS}}', JSON.stringify(DNS)],
  ['{{json .DNS.Upstream}}', '["8.8.8.8","8.8.4.4"]'],
  ['{{.DNS | json}}', JSON.stringify(DNS)],
  [
    '{{range .DNS.Entries}}{{.Hostname}} {{.Address}},{{end}}',
    'web.weave.local. 10.2.1.1,printer.weave.local. 10.9.9.9,',
  ],
  ['{{.Version}} {{.version}}', '0.1.0 0.1.0'],
  ['{{.IPAM.Range}} {{.IPAM.RangeNumIPs}} {{.IPAM.DefaultSubnet}}', '10.32.0.0/12 1048576 10.32.5.0/24'],
  ['{{json .ipam.range}}', '"10.32.0.0/12"'],
  ['{{json .daemon}}', 'null'],
])('%s', async (template, text) => {
  expect(await printed(template)).toBe(`${text}\n`);
});

it('without a daemon there is no DNS', async () => {
  expect(await printed('{{json .DNS}}', { ...host, names: async () => undefined })).toBe('null\n');
});

it.each([
  [
    '{{.DNS.Domian}}',
    "there is no field Domian (did you mean 'Domain'?); the fields are Domain, Upstream, Address, TTL, Entries",
  ],
  ['{{.Router.Name}}', /no field Router; the fields are version, daemon, .*Version, DNS, IPAM$/],
  ['{{jsn .DNS}}', 'jsn'],
  ['{{json}}', 'json VALUE'],
])('%s is refused, and the message lists the fields', async (template, why) => {
  await expect(printed(template)).rejects.toThrow(why);
});

it('a template may print a large field', async () => {
  const large = { ...host, containers: async () => [], settings: async () => ['x'.repeat(200_000)] };
  expect((await printed('{{json .settings}}', large)).length).toBeGreaterThan(200_000);
});

it('an endless template is refused', async () => {
  const many = { ...host, settings: async () => Array.from({ length: 2000 }, () => ({})) };
  const nested = '{{range .settings}}{{range $.settings}}a{{end}}{{end}}';
  await expect(printed(nested, many)).rejects.toThrow(/steps/);
});
