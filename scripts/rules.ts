import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const COMMANDS = ['iptables', 'ip6tables'] as const;

/** A rule of the packet filter that heddle has tagged as its own: the words that delete it. */
export interface TaggedRule {
  readonly command: (typeof COMMANDS)[number];
  /** Chain first. */
  readonly words: readonly string[];
}

export async function taggedRules(): Promise<TaggedRule[]> {
  const perCommand = COMMANDS.map(async (command) => {
    const { stdout } = await run(command, ['-w', '-S']);
    const lines = stdout
      .split('\n')
      .filter((line) => line.startsWith('-A ') && line.includes('--comment heddle'));
    return lines.map((line) => ({ command, words: line.trim().split(' ').slice(1) }));
  });
  return (await Promise.all(perCommand)).flat();
}

export async function deleteRule({ command, words }: TaggedRule): Promise<void> {
  await run(command, ['-w', '-D', ...words]);
}
