import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const COMMANDS = ['iptables', 'ip6tables'] as const;
const TABLES = ['filter', 'nat', 'mangle'] as const;

/** A rule of the packet filter that heddle has tagged as its own: the words that delete it. */
export interface TaggedRule {
  readonly command: (typeof COMMANDS)[number];
  readonly table: (typeof TABLES)[number];
  /** Chain first. */
  readonly rule: readonly string[];
}

export async function taggedRules(): Promise<TaggedRule[]> {
  const places = COMMANDS.flatMap((command) => TABLES.map((table) => [command, table] as const));
  const perPlace = places.map(async ([command, table]) => {
    const { stdout } = await run(command, ['-w', '-t', table, '-S']);
    const lines = stdout
      .split('\n')
      .filter((line) => line.startsWith('-A ') && line.includes('--comment heddle'));
    return lines.map((line) => ({ command, table, rule: line.trim().split(' ').slice(1) }));
  });
  return (await Promise.all(perPlace)).flat();
}

export async function deleteRule({ command, table, rule }: TaggedRule): Promise<void> {
  await run(command, ['-w', '-t', table, '-D', ...rule]);
}
