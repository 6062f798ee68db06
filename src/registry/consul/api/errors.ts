import { HeddleError, messageOf, systemCode } from '../../../errors.ts';
import { tlsProblem } from './tls-errors.ts';

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

/** How heddle comes to a Consul, as far as it explains why Consul says no. */
export interface Credentials {
  readonly hasToken: boolean;
  readonly hasCertificate: boolean;
  /** What the token needs. */
  readonly policy: string;
}

/** An answer that is longer than any that is read. */
export class AnswerTooLong extends Error {
  constructor(mostBytes: number) {
    super(`the answer is longer than ${Math.floor(mostBytes / 1024)} KiB`);
  }
}

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
export function explained(attempt: string, thrown: unknown, credentials: Credentials): HeddleError {
  const error = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as PackageError;
  const status = error.isResponse === true ? error.response?.statusCode : undefined;
  const options = { cause: thrown };
  if (thrown instanceof AnswerTooLong)
    return new HeddleError('refused', `${attempt}: ${thrown.message}`, options);
  if (status === undefined) {
    const why = tlsProblem(thrown, credentials) ?? noAnswer(thrown);
    return new HeddleError('unreachable', `${attempt}: ${why}`, options);
  }
  const text = textOf(error.response?.body) || oneLine(messageOf(thrown));
  const message = `${attempt}: Consul answered ${status}: ${text}`;
  if (status === 400 && /HTTP request to an HTTPS server/.test(text)) {
    return new HeddleError('unreachable', `${message}; use consul-tls://`, options);
  }
  if (isUnknown(status, text)) return new HeddleError('not-found', message, options);
  if (isDenied(status, text)) {
    return new HeddleError('refused', `${message}; ${tokenHint(credentials)}`, options);
  }
  return new HeddleError(isPassing(status, text) ? 'unreachable' : 'refused', message, options);
}

/** What a token lacks, or that there is none. */
export function tokenHint({ hasToken, policy }: Credentials): string {
  const needed = `needs the policy ${policy}`;
  if (hasToken) return `the token (CONSUL_HTTP_TOKEN) ${needed}`;
  return `no token was given: set CONSUL_HTTP_TOKEN or CONSUL_HTTP_TOKEN_FILE; it ${needed}`;
}

function noAnswer(thrown: unknown): string {
  // A host with several addresses fails with one error for each; the sum of them has no text.
  const code = systemCode(thrown);
  const text = oneLine(messageOf(thrown)) || code || 'no answer';
  return code === 'ECONNREFUSED' ? `${text}; is the agent running there?` : text;
}

/** Up to Consul 1.10 an agent said 500 of a service or check that it does not have. */
function isUnknown(status: number, text: string): boolean {
  return status === 404 || (status === 500 && /^Unknown (service|check)( ID)?\b/i.test(text));
}

/** Consul says 403 of tokens; its transactions say 409, and an older one 500. */
function isDenied(status: number, text: string): boolean {
  return status === 403 || /Permission denied|ACL not found/i.test(text);
}

/** Consul gives 500 both for what passes (no leader, a lost server) and for what does not (scripts are disabled). */
function isPassing(status: number, text: string): boolean {
  if (status === 429 || status > 500) return true;
  return (
    status === 500 &&
    /leader|rpc|rate limit|no known consul servers|shutting down|leaving|timed? ?out|EOF/i.test(text)
  );
}

function textOf(body: unknown): string {
  const text = Buffer.isBuffer(body) || typeof body === 'string' ? String(body) : ofTransaction(body);
  return oneLine(text);
}

/** A page of HTML, which only something else than Consul sends, is of no use to anybody. */
function oneLine(text: string): string {
  if (/^\s*<(!doctype|html|head|body)/i.test(text)) return 'a page of HTML; is that a Consul?';
  return text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 500);
}

/** A transaction that failed names each operation that did. */
function ofTransaction(body: unknown): string {
  const errors = typeof body === 'object' && body !== null && 'Errors' in body ? body.Errors : undefined;
  if (!Array.isArray(errors)) return '';
  return errors.map((one: { readonly What?: unknown } | null) => String(one?.What)).join('; ');
}

/** A token may be too weak for the catalog, and good enough for the agent. */
export function unlessRefused(error: unknown): undefined {
  if (error instanceof HeddleError && !error.retryable) return undefined;
  throw error;
}

export function unlessNotFound(error: unknown): undefined {
  if (error instanceof HeddleError && error.code === 'not-found') return undefined;
  throw error;
}
