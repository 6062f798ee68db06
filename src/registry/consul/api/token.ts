import { readFileSync } from 'node:fs';
import { HeddleError, messageOf } from '../../../errors.ts';

/**
 * Consul's ACL token. The file takes precedence over the token itself, as in Consul's own client.
 * @throws HeddleError `bad-input` for a file that cannot be read or is empty
 */
export function readToken(token: string | undefined, file: string | undefined): string | undefined {
  if (file === undefined) return token;
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new HeddleError('bad-input', `cannot read --consul-token-file ${file}: ${messageOf(cause)}`, {
      cause,
    });
  }
  if (/^[\x21-\x7e]+$/.test(text)) return text;
  // The message must not quote the content, which may still be a secret.
  throw new HeddleError('bad-input', `--consul-token-file ${file} must contain only the token, on one line`);
}
