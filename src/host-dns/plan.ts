/** The resolver that a host will ask, and for which domains. */
export interface Target {
  /** The address at which heddle answers, on port 53. */
  readonly address: string;
  /** The domains that heddle is authoritative for, without final dots. */
  readonly domains: readonly string[];
}

/** The text of one file before and after; undefined where there is no file. Read as Latin-1, to preserve every byte. */
export interface FileChange {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** The change of one resolver of a host. */
export interface Plan {
  /** `systemd-resolved`, `dnsmasq`, `resolvconf` or `resolv.conf`. */
  readonly resolver: string;
  readonly change: FileChange;
  /** Makes that resolver read the file. */
  readonly command?: Command;
}

export type Command = readonly [program: string, ...args: string[]];

/** The first line of a file that belongs to heddle alone. Earlier versions wrote it too, so it must not change. */
const OWN_FILE = '# Made by heddle setup --host-dns; heddle setup --host-dns --undo removes it.';

/** The text of heddle's own file with these lines. */
export function ownFile(lines: readonly string[]): string {
  return [OWN_FILE, ...lines, ''].join('\n');
}

export function isOwnFile(text: string | undefined): boolean {
  return text?.startsWith(`${OWN_FILE}\n`) ?? false;
}
