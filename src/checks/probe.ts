import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { connect, type TcpNetConnectOpts } from 'node:net';
import { messageOf, systemCode } from '../errors.ts';
import { http } from '../runtime/http.ts';
import type { Check, CheckKind, CheckStatus } from '../services/service.ts';

export interface Result {
  readonly status: CheckStatus;
  /** What was seen, in one line. */
  readonly output: string;
}

/** Looks once; never throws, and ends when the signal says so. */
export type Probe = (check: Check, signal: AbortSignal) => Promise<Result>;

type HttpCheck = Extract<CheckKind, { kind: 'http' }>;

/** As many as Go's client, which Consul uses, follows. */
const MAX_REDIRECTS = 10;
const KEEP_METHOD = [307, 308];
const REDIRECTS = [301, 302, 303, ...KEEP_METHOD];

/** True for checks that are looked after over the network. */
export function isProbed({ kind }: Check): boolean {
  return kind === 'http' || kind === 'tcp';
}

/** HTTP and TCP checks, judged as Consul judges them. */
export const probe: Probe = async (check, signal) => {
  try {
    if (check.kind === 'http') return await probeHttp(check, signal);
    if (check.kind === 'tcp') return await probeTcp(check.target, signal);
    return { status: 'critical', output: `nobody runs ${check.kind} checks here` };
  } catch (error) {
    const output = signal.aborted ? 'no answer in time' : messageOf(error) || systemCode(error) || 'failed';
    return { status: 'critical', output };
  }
};

/** 2xx passes, 429 warns, everything else is critical. */
async function probeHttp(check: HttpCheck, signal: AbortSignal): Promise<Result> {
  let request = { ...check, method: check.method ?? 'GET' };
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const { status, location } = await ask(request, signal);
    if (!REDIRECTS.includes(status) || location === undefined) return judged(status);
    const from = new URL(request.url);
    if (!URL.canParse(location, from.href)) return judged(status);
    const to = new URL(location, from);
    // What a container answers must not make us ask others in its stead; at the host's address, each port is another's.
    if (to.hostname !== from.hostname || portOf(to) !== portOf(from) || !/^https?:$/.test(to.protocol)) {
      return { status: 'critical', output: `HTTP ${status} to another host or port, which is not followed` };
    }
    const method = KEEP_METHOD.includes(status) || request.method === 'HEAD' ? request.method : 'GET';
    request = { ...request, method, url: to.href };
  }
  return { status: 'critical', output: `more than ${MAX_REDIRECTS} redirects` };
}

function portOf({ port, protocol }: URL): string {
  return port || (protocol === 'https:' ? '443' : '80');
}

function judged(status: number): Result {
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
      // No connection is kept: it is the next one that shows whether the service still answers.
      agent: false as const,
      headers: { 'user-agent': 'heddle-health-check', ...plain(headers) },
    };
    const answered = (response: IncomingMessage) => {
      const { statusCode: status = 0, headers: said } = response;
      resolve({ status, location: said.location });
      // The body is nobody's business, and may have no end.
      response.destroy();
    };
    const verified = tlsSkipVerify !== true;
    const request = url.startsWith('https:')
      ? https.request(url, { ...options, rejectUnauthorized: verified }, answered)
      : http.request(url, options, answered);
    request.on('error', reject);
    request.once('close', () => reject(new Error('the connection was closed without an answer')));
    request.end();
  });
}

/** Node takes several values of a header but of `Host`. */
function plain(headers: Readonly<Record<string, readonly string[]>>): Record<string, string | string[]> {
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
