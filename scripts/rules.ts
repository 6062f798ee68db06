import { deletion, iptables, taggedRules as rulesIn } from '../src/network/firewall/iptables.ts';
import { TABLES, type Table } from '../src/network/firewall/rules.ts';

const COMMANDS = ['iptables', 'ip6tables'] as const;

/** A rule that heddle has tagged as its own. */
export interface TaggedRule {
  readonly command: (typeof COMMANDS)[number];
  readonly table: Table;
  /** As iptables lists it: `-A FORWARD …`. */
  readonly line: string;
}

/** The tagged rules of the host's default firewall commands. */
export async function taggedRules(): Promise<TaggedRule[]> {
  const places = COMMANDS.flatMap((command) => TABLES.map((table) => [command, table] as const));
  const perPlace = places.map(async ([command, table]) =>
    (await rulesIn(command, table)).map((line) => ({ command, table, line })),
  );
  return (await Promise.all(perPlace)).flat();
}

export async function deleteRule({ command, table, line }: TaggedRule): Promise<void> {
  await iptables(command, deletion(table, line));
}
