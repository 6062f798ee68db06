import type { HostEntry } from './entry.ts';

/** Our lines in a container's /etc/hosts. Docker's lines that they replace are kept as comments. */

const MARK = '# heddle attach --rewrite-hosts:';
const BEGIN = `${MARK} begin`;
const END = `${MARK} end`;
const SET_ASIDE = `${MARK} instead of `;

/** The content of our lines in a container's hosts file. */
export interface OwnLines {
  /** The container's names, its full name first. */
  readonly names: readonly string[];
  /** Its addresses, without prefix. */
  readonly ips: readonly string[];
  readonly entries: readonly HostEntry[];
}

/**
 * The text with these lines first; they replace our earlier lines. Lines that give the container's own names another
 * address are commented out: a lookup returns the addresses of all matching lines.
 */
export function withOwnLines(text: string, { names, ips, entries }: OwnLines): string {
  const own = new Set(names.map((name) => name.toLowerCase()));
  const rest = withoutOwnLines(text)
    .split('\n')
    .map((line) => (isOnlyOf(own, line) ? `${SET_ASIDE}${line}` : line));
  // Blanks, no tab: Docker recognizes its own lines by the tab before the name, and removes them.
  const lines = [
    ...ips.map((ip) => [ip, ...names].join(' ')),
    ...entries.map(({ name, ip }) => `${ip} ${name}`),
  ];
  return [BEGIN, ...lines, END, ...rest].join('\n');
}

/** The text without our lines, and with Docker's restored. */
export function withoutOwnLines(text: string): string {
  const lines = text.split('\n').map(restored);
  for (let from = 0; ; ) {
    const begin = lines.indexOf(BEGIN, from);
    const end = begin < 0 ? -1 : lines.indexOf(END, begin);
    // Another program wrote a block without an end: that must not remove the rest of the file.
    if (end < 0) return lines.join('\n');
    lines.splice(begin, end - begin + 1);
    from = begin;
  }
}

function restored(line: string): string {
  let text = line;
  while (text.startsWith(SET_ASIDE)) text = text.slice(SET_ASIDE.length);
  return text;
}

/** Whether a line gives its address to these names alone: `127.0.0.1 localhost web` must stay. */
function isOnlyOf(own: ReadonlySet<string>, line: string): boolean {
  const [, ...names] = (line.split('#', 1)[0] ?? '').split(/\s+/).filter(Boolean);
  return names.length > 0 && names.every((name) => own.has(name.toLowerCase()));
}
