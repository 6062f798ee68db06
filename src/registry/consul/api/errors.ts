import { HeddleError, hasCode, messageOf, systemCode } from '../../../errors.ts';
import { tlsProblem } from './tls-errors.ts';

/** The policy that a token needs; named in the message whenever Consul denies a request. */
export const TOKEN_POLICY = [
  'service_prefix "" { policy = "write" }',
  'node_prefix "" { policy = "read" }',
  'agent_prefix "" { policy = "read" }',
].join(' ');

/** The policy that a token needs in catalog mode, where heddle writes its own node. */
export const CATALOG_TOKEN_POLICY = [
  'service_prefix "" { policy = "write" }',
  'node_prefix "" { policy = "read" }',
  'node_prefix "heddle-" { policy = "write" }',
  'agent_prefix "" { policy = "read" }',
].join(' ');

/** The client's credentials, as far as they explain a refused request. */
export interface Credentials {
  readonly hasToken: boolean;
  readonly hasCertificate: boolean;
  /** The policy that the token needs. */
  readonly policy: string;
}

/** An answer longer than the limit of its request. */
export class AnswerTooLong extends Error {
  constructor(mostBytes: number) {
    super(`the answer is longer than ${Math.floor(mostBytes / 1024)} KiB`);
  }
}

/** The fields that we read of errors of the `consul` package (papi). */
interface PackageError {
  readonly isResponse?: boolean;
  readonly isTimeout?: boolean;
  readonly response?: { readonly statusCode?: number; readonly body?: unknown };
}

/**
 * Converts a failed request to a HeddleError: `not-found` for 404, `unreachable` if a retry may succeed, otherwise
 * `refused` with Consul's message. A denial also names the policy that the token needs.
 */
export function consulError(attempt: string, thrown: unknown, credentials: Credentials): HeddleError {
  const error = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as PackageError;
  const status = error.isResponse === true ? error.response?.statusCode : undefined;
  const options = { cause: thrown };
  if (thrown instanceof AnswerTooLong)
    return new HeddleError('refused', `${attempt}: ${thrown.message}`, options);
  if (status === undefined) {
    const why = tlsProblem(thrown, credentials) ?? connectionProblem(thrown);
    return new HeddleError('unreachable', `${attempt}: ${why}`, options);
  }
  const text = textOf(error.response?.body) || oneLine(messageOf(thrown));
  const message = `${attempt}: Consul answered ${status}: ${text}`;
  if (status === 400 && /HTTP request to an HTTPS server/.test(text)) {
    return new HeddleError('unreachable', `${message}; use consul-tls://`, options);
  }
  if (isNotFound(status, text)) return new HeddleError('not-found', message, options);
  if (isDenied(status, text)) {
    return new HeddleError('refused', `${message}; ${tokenHint(credentials)}`, options);
  }
  return new HeddleError(isTransient(status, text) ? 'unreachable' : 'refused', message, options);
}

/** What a token lacks, or that there is none. */
export function tokenHint({ hasToken, policy }: Credentials): string {
  const needed = `needs the policy ${policy}`;
  if (hasToken) return `the token (CONSUL_HTTP_TOKEN) ${needed}`;
  return `no token was given: set CONSUL_HTTP_TOKEN or CONSUL_HTTP_TOKEN_FILE; it ${needed}`;
}

function connectionProblem(thrown: unknown): string {
  // For a host with several addresses Node throws an AggregateError, whose own message is empty.
  const code = systemCode(thrown);
  const text = oneLine(messageOf(thrown)) || code || 'no answer';
  return code === 'ECONNREFUSED' ? `${text}; is the agent running there?` : text;
}

/** Up to Consul 1.10 an agent answered 500 for an unknown service or check. */
function isNotFound(status: number, text: string): boolean {
  return status === 404 || (status === 500 && /^Unknown (service|check)( ID)?\b/i.test(text));
}

/** Consul answers a denied token with 403, a transaction with 409, and an older Consul with 500. */
function isDenied(status: number, text: string): boolean {
  return status === 403 || /Permission denied|ACL not found/i.test(text);
}

/**
 * Consul answers 500 for temporary problems (no leader, a lost server) and for permanent ones (scripts are disabled).
 */
function isTransient(status: number, text: string): boolean {
  if (status === 429 || status > 500) return true;
  return (
    status === 500 &&
    /leader|rpc|rate limit|no known consul servers|shutting down|leaving|timed? ?out|EOF/i.test(text)
  );
}

function textOf(body: unknown): string {
  const text = Buffer.isBuffer(body) || typeof body === 'string' ? String(body) : transactionErrors(body);
  return oneLine(text);
}

/** Replaces a page of HTML, which does not come from Consul, by a hint. */
function oneLine(text: string): string {
  if (/^\s*<(!doctype|html|head|body)/i.test(text)) return 'an HTML page; is it a Consul?';
  return text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 500);
}

/** The messages of a failed transaction: one for each failed operation. */
function transactionErrors(body: unknown): string {
  const errors = typeof body === 'object' && body !== null && 'Errors' in body ? body.Errors : undefined;
  if (!Array.isArray(errors)) return '';
  return errors.map((one: { readonly What?: unknown } | null) => String(one?.What)).join('; ');
}

/** Ignores a refusal: a token may be too weak for the catalog and sufficient for the agent. */
export function unlessRefused(error: unknown): undefined {
  if (error instanceof HeddleError && !error.retryable) return undefined;
  throw error;
}

export function unlessNotFound(error: unknown): undefined {
  if (hasCode(error, 'not-found')) return undefined;
  throw error;
}
