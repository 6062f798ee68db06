import { afterEach, expect, test } from 'vitest';
import { clearWorld, leftOnHost } from '../support/cleanup.ts';
import { startConsul } from '../support/consul.ts';
import { count } from '../support/counts.ts';
import { eventually } from '../support/eventually.ts';
import { Fleet } from '../support/fleet.ts';
import { startDaemon } from '../support/heddle.ts';
import { memoryOf } from '../support/memory.ts';
import { expectConsistent } from '../support/truth.ts';

afterEach(() => clearWorld());

const MIB = 1 << 20;

test('containers that end within milliseconds, half of them removed at once, leave nothing behind', async () => {
  await using consul = await startConsul();
  await using daemon = await startDaemon(['--registry', consul.uri]);
  const fleet = new Fleet('10.2.55');
  await fleet.start('stays');
  await expectConsistent({ fleet, daemon, consul });
  const memory = memoryOf(daemon.pid);
  const lines = daemon.log.length;
  for (let batch = 0; batch < count(2, 5); batch++) {
    const names = Array.from({ length: 10 }, (_, index) => `flash-${batch}-${index}`);
    await Promise.all(
      names.map((name, index) =>
        fleet.start(name, { command: ['true'], host: { AutoRemove: index % 2 === 0 } }),
      ),
    );
  }
  await eventually(async () => expect(await fleet.running()).toHaveLength(1));
  await expectConsistent({ fleet, daemon, consul });
  const ends = async () => (await leftOnHost()).filter((name) => name.startsWith('vethwl'));
  await eventually(async () => expect(await ends()).toHaveLength(1));
  expect(daemon.log.slice(lines)).toEqual([]);
  expect(memoryOf(daemon.pid)).toBeLessThan(memory + 40);
});

test('containers with absurd labels, or variables, cost their neighbours nothing', async () => {
  await using consul = await startConsul();
  // This template puts metadata of a container into tags; the metadata itself is no template.
  const tags = '{{if .Config.Labels.SERVICE_REGION}}of-{{.Config.Labels.SERVICE_REGION}}{{end}}';
  await using daemon = await startDaemon(['--registry', consul.uri, '--tags', tags]);
  const fleet = new Fleet('10.2.55');
  await fleet.start('before');
  await expectConsistent({ fleet, daemon, consul });
  const memory = memoryOf(daemon.pid);
  const many = (count: number, key: (index: number) => string) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [key(index), `value ${index}`]));
  const bombs = {
    'ten-thousand': many(10_000, (index) => `SERVICE_KEY${index}`),
    'ten-thousand-ports': many(10_000, (index) => `SERVICE_${index + 1000}_NAME`),
    'ten-thousand-bad': many(10_000, (index) => `SERVICE_80_CHECK_Ü${index}`),
    big: {
      SERVICE_TAGS: 'x'.repeat(MIB),
      SERVICE_THING: 'y'.repeat(MIB),
      SERVICE_CHECK_HTTP: '/'.repeat(MIB),
    },
    'big-key': { [`SERVICE_${'K'.repeat(MIB)}`]: 'v' },
    commas: { SERVICE_TAGS: ','.repeat(MIB), SERVICE_80_NAME: 'commas,'.repeat(1000) },
    nul: { SERVICE_TAGS: 'a\u0000b,c', 'SERVICE_A\u0000B': 'c', SERVICE_REGION: 'no\u0000rth' },
    unicode: { SERVICE_TAGS: 'grün,🧵,\u202Eabc', SERVICE_REGION: '北京', SERVICE_ÄÖ: 'ü' },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what must not be taken for one
    templates: { SERVICE_TAGS: '{{.Name}},${PATH},$(id),`id`,%s', SERVICE_REGION: '{{range .}}{{end' },
    proto: { SERVICE___PROTO__: 'polluted', SERVICE_CONSTRUCTOR: 'x', __proto__x: 'y' },
    lines: { SERVICE_TAGS: 'a\nb\r\nc\u001b[31m', SERVICE_REGION: 'a\nb' },
  };
  for (const [name, labels] of Object.entries(bombs)) await fleet.start(name, { labels });
  // The kernel starts nothing with a variable of more than 128 KiB, or with a NUL in one.
  const env = {
    ...many(10_000, (index) => `SERVICE_KEY${index}`),
    SERVICE_TAGS: '{{.Name}},\u202Eabc,a\nb',
    SERVICE_CHECK_HTTP: '/'.repeat(100_000),
  };
  await fleet.start('variables', { env });
  await fleet.start('after');
  await expectConsistent({ fleet, daemon, consul });
  const registered = new Map(Object.values(await consul.services()).map((one) => [one.Service, one]));
  expect(registered.get('templates')?.Tags).toEqual([
    ...bombs.templates.SERVICE_TAGS.split(','),
    'of-{{range .}}{{end',
  ]);
  expect(registered.get('unicode')).toMatchObject({
    Tags: ['grün', '🧵', '\u202Eabc', 'of-北京'],
    Meta: { region: '北京' },
  });
  expect(Object.keys(registered.get('ten-thousand')?.Meta ?? {})).toHaveLength(64);
  expect(registered.get('variables')?.Tags).toEqual(['{{.Name}}', '\u202Eabc']);
  const lines = daemon.log.filter(({ level }) => level >= 40).map(({ name, msg }) => `${name}: ${msg}`);
  expect(lines.length, 'lines about them').toBeLessThan(100);
  expect(new Set(lines).size, 'each is said once').toBe(lines.length);
  expect(daemon.output.length, 'characters about them').toBeLessThan(50_000);
  await fleet.end('variables', ...Object.keys(bombs));
  await expectConsistent({ fleet, daemon, consul });
  // heddle read megabytes for them; the next garbage collection frees these, and returns them every half minute.
  await eventually(() => expect(memoryOf(daemon.pid)).toBeLessThan(memory + 60), { within: 60_000 });
});
