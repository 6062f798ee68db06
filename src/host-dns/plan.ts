/** What a host is to ask, and where. */
export interface Target {
  /** Where heddle answers, on port 53. */
  readonly address: string;
  /** The domains that heddle answers itself, without final dots. */
  readonly domains: readonly string[];
}

/** One file as it is and as it should be; undefined where there is none. Bytes are kept as Latin-1. */
export interface FileChange {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** How one resolver of a host is changed. */
export interface Plan {
  /** `systemd-resolved`, `dnsmasq`, `resolvconf` or `resolv.conf`. */
  readonly resolver: string;
  readonly change: FileChange;
  /** What makes that resolver read the file. */
  readonly command?: Command;
}

export type Command = readonly [program: string, ...words: string[]];

/** Stands first in a file that is ours alone. */
const OWN_FILE = '# Made by heddle setup --host-dns; heddle setup --host-dns --undo removes it.';

/** A file of our own with these lines. */
export function ownFile(lines: readonly string[]): string {
  return [OWN_FILE, ...lines, ''].join('\n');
}

export function isOwnFile(text: string | undefined): boolean {
  return text?.startsWith(`${OWN_FILE}\n`) ?? false;
}
