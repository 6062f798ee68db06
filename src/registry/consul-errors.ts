import { HeddleError, messageOf, systemCode } from '../errors.ts';

/** What a token needs; named whenever Consul says that it lacks it. */
export const TOKEN_POLICY = [
  'service_prefix "" { policy = "write" }',
  'node_prefix "" { policy = "read" }',
  'agent_prefix "" { policy = "read" }',
].join(' ');

/** What a token needs in catalog mode, where heddle writes its own node. */
export const CATALOG_TOKEN_POLICY = [
  'service_prefix "" { policy = "write" }',
  'node_prefix "" { policy = "read" }',
  'node_prefix "heddle-" { policy = "write" }',
  'agent_prefix "" { policy = "read" }',
].join(' ');

/** The errors of the `consul` package (papi), as far as we look. */
interface PackageError {
  readonly isResponse?: boolean;
  readonly isTimeout?: boolean;
  readonly response?: { readonly statusCode?: number; readonly body?: unknown };
}

/**
 * A failed request as ours: `not-found` for 404, `unreachable` where another try may succeed, `refused` with
 * Consul's words where it will not, and with the token's policy where that is why.
 */
export function explained(attempt: string, thrown: unknown, policy: string): HeddleError {
  const error = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as PackageError;
  const status = error.isResponse === true ? error.response?.statusCode : undefined;
  const options = { cause: thrown };
  if (status === undefined) return new HeddleError('unreachable', `${attempt}: ${noAnswer(thrown)}`, options);
  const words = wordsOf(error.response?.body) || messageOf(thrown);
  const message = `${attempt}: Consul answered ${status}: ${words}`;
  if (status === 404) return new HeddleError('not-found', message, options);
  if (status === 403 || words.includes('Permission denied')) {
    const hint = `the token (CONSUL_HTTP_TOKEN) needs the policy ${policy}`;
    return new HeddleError('refused', `${message}; ${hint}`, options);
  }
  return new HeddleError(passing(status, words) ? 'unreachable' : 'refused', message, options);
}

function noAnswer(thrown: unknown): string {
  // A host with several addresses fails with one error for each; the sum of them has no text.
  const code = systemCode(thrown);
  const text = messageOf(thrown) || code || 'no answer';
  return code === 'ECONNREFUSED' ? `${text}; is the agent running there?` : text;
}

/** Consul gives 500 both for what passes (no leader, a lost server) and for what does not (scripts are disabled). */
function passing(status: number, words: string): boolean {
  if (status === 429 || status > 500) return true;
  return (
    status === 500 && /leader|rpc|no known consul servers|shutting down|leaving|timed? ?out|EOF/i.test(words)
  );
}

function wordsOf(body: unknown): string {
  const text = Buffer.isBuffer(body) || typeof body === 'string' ? String(body) : ofTransaction(body);
  return text.trim().slice(0, 500);
}

/** A transaction that failed names each operation that did. */
function ofTransaction(body: unknown): string {
  const errors = typeof body === 'object' && body !== null && 'Errors' in body ? body.Errors : undefined;
  if (!Array.isArray(errors)) return '';
  return errors.map(({ What }: { readonly What?: unknown }) => String(What)).join('; ');
}
