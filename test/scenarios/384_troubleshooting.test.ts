import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { ROOT } from '../../scripts/root.ts';
import { docker } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';
import { scenario } from '../support/scenario.ts';
import { shellWords } from '../support/shell-words.ts';

/** A command of the page, and the lines that it prints. */
interface Example {
  readonly command: string;
  readonly printed: readonly string[];
}

/** Ids and the widths of columns differ from host to host. */
const plain = (line: string): string =>
  line
    .replace(/\b[0-9a-f]{12}\b/g, 'ID')
    .replace(/\s+/g, ' ')
    .trim();

const examples = new Map<string, Example>(
  readFileSync(join(ROOT, 'docs/troubleshooting.md'), 'utf8')
    .split(/^## /m)
    .flatMap((section) => {
      const [title = ''] = section.split('\n');
      const [, block] = section.split(/^```(?:console)?\n/m);
      const [command, ...printed] = (block ?? '').trim().split('\n');
      return command?.startsWith('$ heddle ')
        ? [[title, { command: command.slice('$ heddle '.length), printed }] as const]
        : [];
    }),
);
const portIsTaken = 'Port 53 is taken';

const { daemon } = scenario({ keepContainers: true });
beforeAll(async () => {
  const run = (name: string, ...options: string[]) =>
    docker('run', '-d', '--name', name, '--expose', '80', ...options, 'busybox', 'sleep', '3600');
  await run('web', '--label', 'heddle.cidr=10.2.1.1/16', '-e', 'SERVICE_NAME=web', '-e', 'SERVICE_TAG=blue');
  await eventually(async () => expect((await daemon.command('ps', 'web')).stdout).toContain('10.2.1.1/16'));
  await run('plain');
  await run('wrong', '--label', 'heddle.cidr=10.2.1.1/16', '-e', 'SERVICE_NAME=wrong');
});

async function printsWhatThePageShows({ command, printed }: Example): Promise<void> {
  expect(printed.length).toBeGreaterThan(0);
  await eventually(async () => {
    const { stdout, stderr } = await daemon.command(...shellWords(command));
    expect(`${stdout}${stderr}`.split('\n').map(plain)).toEqual(expect.arrayContaining(printed.map(plain)));
  });
}

test('the page has examples', () => {
  expect(examples.size).toBeGreaterThan(5);
  expect(examples.has(portIsTaken)).toBe(true);
});

test.each([...examples].filter(([title]) => title !== portIsTaken))(
  'the troubleshooting page prints the real output: %s',
  async (_, example) => {
    await printsWhatThePageShows(example);
  },
);

test(`the troubleshooting page prints the real output: ${portIsTaken}`, async () => {
  await daemon.stop();
  const other = createSocket('udp4').bind(53, '172.17.0.1');
  await once(other, 'listening');
  try {
    await daemon.start();
    await printsWhatThePageShows(examples.get(portIsTaken) as Example);
  } finally {
    other.close();
  }
});
