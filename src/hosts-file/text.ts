import type { HostEntry } from './entry.ts';

/** Our lines in a container's /etc/hosts, and the lines of Docker's that they stand for, kept as comments. */

const MARK = '# heddle attach --rewrite-hosts:';
const BEGIN = `${MARK} begin`;
const END = `${MARK} end`;
const SET_ASIDE = `${MARK} instead of `;

/** What a container's hosts file is to say. */
export interface OwnLines {
  /** What the container is called, its full name first. */
  readonly names: readonly string[];
  /** Its addresses, without prefix. */
  readonly ips: readonly string[];
  readonly entries: readonly HostEntry[];
}

/**
 * The text with these lines in front, in the place of earlier ones of ours. Lines that give the container's own names
 * another address are set aside: who asks for several would get them all.
 */
export function withOwnLines(text: string, { names, ips, entries }: OwnLines): string {
  const own = new Set(names.map((name) => name.toLowerCase()));
  const rest = withoutOwnLines(text)
    .split('\n')
    .map((line) => (isOnlyOf(own, line) ? `${SET_ASIDE}${line}` : line));
  // Blanks and no tab: Docker knows lines of its own by the tab before the name, and takes them out.
  const lines = [
    ...ips.map((ip) => [ip, ...names].join(' ')),
    ...entries.map(({ name, ip }) => `${ip} ${name}`),
  ];
  return [BEGIN, ...lines, END, ...rest].join('\n');
}

/** The text as it was before. */
export function withoutOwnLines(text: string): string {
  const lines = text.split('\n').map(broughtBack);
  for (let from = 0; ; ) {
    const begin = lines.indexOf(BEGIN, from);
    const end = begin < 0 ? -1 : lines.indexOf(END, begin);
    // A block without an end is somebody else's work, and no reason to take the rest of the file away.
    if (end < 0) return lines.join('\n');
    lines.splice(begin, end - begin + 1);
    from = begin;
  }
}

function broughtBack(line: string): string {
  let text = line;
  while (text.startsWith(SET_ASIDE)) text = text.slice(SET_ASIDE.length);
  return text;
}

/** Whether an address is given to these names and to no other: `127.0.0.1 localhost web` must stand. */
function isOnlyOf(own: ReadonlySet<string>, line: string): boolean {
  const [, ...names] = (line.split('#', 1)[0] ?? '').split(/\s+/).filter(Boolean);
  return names.length > 0 && names.every((name) => own.has(name.toLowerCase()));
}
