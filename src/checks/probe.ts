import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { connect, type TcpNetConnectOpts } from 'node:net';
import { messageOf, systemCode } from '../errors.ts';
import { http } from '../runtime/http.ts';
import type { Check, CheckKind, CheckStatus } from '../services/service.ts';

export interface Result {
  readonly status: CheckStatus;
  /** The observed result in one line. */
  readonly output: string;
}

/** Runs a check once. Never throws; ends when the signal aborts. */
export type Probe = (check: Check, signal: AbortSignal) => Promise<Result>;

type HttpCheck = Extract<CheckKind, { kind: 'http' }>;

/** The limit of Go's HTTP client, which Consul uses. */
const MAX_REDIRECTS = 10;
const KEEP_METHOD = [307, 308];
const REDIRECTS = [301, 302, 303, ...KEEP_METHOD];

/** True for checks that are run over the network. */
export function isProbed({ kind }: Check): boolean {
  return kind === 'http' || kind === 'tcp';
}

/** Runs HTTP and TCP checks with Consul's rules for their statuses. */
export const probe: Probe = async (check, signal) => {
  try {
    if (check.kind === 'http') return await probeHttp(check, signal);
    if (check.kind === 'tcp') return await probeTcp(check.target, signal);
    return { status: 'critical', output: `${check.kind} checks are not supported here` };
  } catch (error) {
    const output = signal.aborted ? 'no answer in time' : messageOf(error) || systemCode(error) || 'failed';
    return { status: 'critical', output };
  }
};

/** 2xx is passing, 429 warning, everything else critical. */
async function probeHttp(check: HttpCheck, signal: AbortSignal): Promise<Result> {
  let request = { ...check, method: check.method ?? 'GET' };
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const { status, location } = await ask(request, signal);
    if (!REDIRECTS.includes(status) || location === undefined) return resultOf(status);
    const from = new URL(request.url);
    if (!URL.canParse(location, from.href)) return resultOf(status);
    const to = new URL(location, from);
    // A redirect must not make heddle probe another machine. At the host's address, another port is another container's.
    if (to.hostname !== from.hostname || portOf(to) !== portOf(from) || !/^https?:$/.test(to.protocol)) {
      return { status: 'critical', output: `HTTP ${status} to another host or port is not followed` };
    }
    const method = KEEP_METHOD.includes(status) || request.method === 'HEAD' ? request.method : 'GET';
    request = { ...request, method, url: to.href };
  }
  return { status: 'critical', output: `more than ${MAX_REDIRECTS} redirects` };
}

function portOf({ port, protocol }: URL): string {
  return port || (protocol === 'https:' ? '443' : '80');
}

function resultOf(status: number): Result {
  const output = `HTTP ${status}`;
  if (status >= 200 && status < 300) return { status: 'passing', output };
  return { status: status === 429 ? 'warning' : 'critical', output };
}

function ask(
  { url, method, headers = {}, tlsSkipVerify }: HttpCheck & { readonly method: string },
  signal: AbortSignal,
): Promise<{ status: number; location: string | undefined }> {
  return new Promise((resolve, reject) => {
    const options = {
      method,
      signal,
      // Each check opens a new connection: only that shows that the service still accepts connections.
      agent: false as const,
      headers: { 'user-agent': 'heddle-health-check', ...requestHeaders(headers) },
    };
    const answered = (response: IncomingMessage) => {
      const { statusCode: status = 0, headers } = response;
      resolve({ status, location: headers.location });
      // The body is not needed and may be endless.
      response.destroy();
    };
    const isVerified = tlsSkipVerify !== true;
    const request = url.startsWith('https:')
      ? https.request(url, { ...options, rejectUnauthorized: isVerified }, answered)
      : http.request(url, options, answered);
    request.on('error', reject);
    request.once('close', () => reject(new Error('the connection was closed without an answer')));
    request.end();
  });
}

/** Node accepts several values for each header except `Host`. */
function requestHeaders(
  headers: Readonly<Record<string, readonly string[]>>,
): Record<string, string | string[]> {
  const entries = Object.entries(headers).map(([name, values]): [string, string | string[]] => {
    const several = name.toLowerCase() !== 'host' && values.length > 1;
    return [name.toLowerCase(), several ? [...values] : (values[0] ?? '')];
  });
  return Object.fromEntries(entries);
}

function probeTcp(target: string, signal: AbortSignal): Promise<Result> {
  const colon = target.lastIndexOf(':');
  const host = target.slice(0, colon).replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const options: TcpNetConnectOpts = { host, port: Number(target.slice(colon + 1)), signal };
    const socket = connect(options);
    socket.on('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve({ status: 'passing', output: 'connected' });
    });
  });
}
