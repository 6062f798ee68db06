import { HeddleError } from '../errors.ts';
import { familyOf, ipBytes, ipText } from '../network/cidr.ts';

/** A name and its address for a container's /etc/hosts. */
export interface HostEntry {
  readonly name: string;
  /** In its canonical form. */
  readonly ip: string;
}

/**
 * Parses `db:10.2.9.9`, `db:fd00::9` or `db:[fd00::9]`, the forms of docker's own --add-host.
 * @throws HeddleError `bad-input` that quotes the text, states what is wrong with it and the expected form
 */
export function parseHostEntry(text: string): HostEntry {
  const refuse = (what: string): never => {
    const quoted = JSON.stringify(text.length > 100 ? `${text.slice(0, 99)}…` : text);
    throw new HeddleError(
      'bad-input',
      `--add-host ${quoted} ${what}: expected a name and its address, like db:10.2.9.9 or db:fd00::9`,
    );
  };
  const colon = text.indexOf(':');
  if (colon < 0) return refuse('has no colon');
  const name = text.slice(0, colon);
  const ip = text.slice(colon + 1).replace(/^\[(.*)\]$/, '$1');
  if (!isHostName(name)) return refuse('does not begin with a host name');
  if (familyOf(ip) === undefined) return refuse('does not end with an IP address');
  return { name, ip: ipText(ipBytes(ip)) };
}

/**
 * Labels of letters, digits, hyphens (RFC 1123) and underscores (Docker accepts them); nothing that could end a line or
 * begin a comment.
 */
export const isHostName = (text: string): boolean =>
  text.length <= 253 && text.split('.').every((label) => /^(?!-)[\w-]{1,63}(?<!-)$/.test(label));
