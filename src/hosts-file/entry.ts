import { HeddleError } from '../errors.ts';
import { familyOf, ipBytes, ipText } from '../network/cidr.ts';

/** A name and its address, for a container's /etc/hosts. */
export interface HostEntry {
  readonly name: string;
  /** In its canonical form. */
  readonly ip: string;
}

/**
 * Reads `db:10.2.9.9`, `db:fd00::9` or `db:[fd00::9]`, as docker's own --add-host is written.
 * @throws HeddleError `bad-input` naming the word, what is wrong with it and the form expected
 */
export function parseHostEntry(word: string): HostEntry {
  const refuse = (what: string): never => {
    const quoted = JSON.stringify(word.length > 100 ? `${word.slice(0, 99)}…` : word);
    throw new HeddleError(
      'bad-input',
      `--add-host ${quoted} ${what}: expected a name and its address, like db:10.2.9.9 or db:fd00::9`,
    );
  };
  const colon = word.indexOf(':');
  if (colon < 0) return refuse('has no colon');
  const name = word.slice(0, colon);
  const ip = word.slice(colon + 1).replace(/^\[(.*)\]$/, '$1');
  if (!isHostName(name)) return refuse('does not begin with a host name');
  if (familyOf(ip) === undefined) return refuse('does not end with an IP address');
  return { name, ip: ipText(ipBytes(ip)) };
}

/**
 * Labels of letters, digits, hyphens and underscores (RFC 1123; underscores as Docker lets them pass), and nothing
 * that could end a line or begin a comment.
 */
export const isHostName = (text: string): boolean =>
  text.length <= 253 && text.split('.').every((label) => /^(?!-)[\w-]{1,63}(?<!-)$/.test(label));
