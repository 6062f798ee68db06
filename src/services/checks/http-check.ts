import { commaList, type PortVariables } from '../environment.ts';
import type { Note } from '../note.ts';
import type { CheckKind } from '../service.ts';
import { ANOTHER_PORT, optional, parameter, quoted, skipVerify, Unusable } from './setting.ts';

/** What containers may choose for HTTP checks. */
export interface HttpCheckOptions {
  /** The permitted HTTP methods (upper case) and header names (lower case); default: any. */
  readonly checkMethods?: readonly string[];
  readonly checkHeaders?: readonly string[];
}

interface HttpCheckRequest {
  /** The path. */
  readonly value: string;
  readonly settings: PortVariables;
  /** Address and port; throws Unusable if there is none. */
  readonly endpoint: () => string;
  readonly options: HttpCheckOptions;
  readonly note: Note;
}

const URL_BEFORE_PATH = /^[a-z][a-z\d+.-]*:\/\//i;
/** `localhost:8080/health`, `:8080`, `10.2.1.1/health`, `[::1]:80/`: such a value lacks the slash that a path begins with. */
const HOST_BEFORE_PATH =
  /^(?:[\w.-]*:\d+|\[[\da-f:.]+\](?::\d+)?|localhost|\d{1,3}(?:\.\d{1,3}){3})(?:[/?#]|$)/i;
const MAX_URL = 2_048;
const MAX_HEADERS = 32;
const MAX_HEADERS_LENGTH = 8_192;
/** Connection headers (RFC 9110 §7.6.1): they address the connection, not the service, and could end a request early. */
const CONNECTION_HEADERS = [
  ...['connection', 'content-length', 'expect', 'keep-alive', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
];

/** CHECK_HTTP and CHECK_HTTPS. Throws Unusable if the value makes no valid check. */
export function httpCheck(scheme: 'http' | 'https', request: HttpCheckRequest): CheckKind {
  const { value, settings, options, note } = request;
  const isUrl = URL_BEFORE_PATH.test(value);
  if (isUrl || HOST_BEFORE_PATH.test(value)) {
    const what = isUrl ? 'is a full URL' : 'has a host before its path';
    throw new Unusable(`${quoted(value)} ${what}; give the path alone, as in /health${ANOTHER_PORT}`);
  }
  const url = `${scheme}://${request.endpoint()}${value.startsWith('/') ? '' : '/'}${value}`;
  const isPath = URL.canParse(url) && !/\s/.test(value);
  if (!isPath || url.length > MAX_URL) throw new Unusable(`${quoted(value)} is not the path of a URL`);
  const method = settings.get(`check_${scheme}_method`)?.value.trim().toUpperCase() ?? '';
  const { checkMethods } = options;
  // A check with another method than the container needs would report it as critical.
  if (method !== '' && checkMethods?.includes(method) === false) {
    throw new Unusable(`${quoted(method)} is not one of --check-methods ${checkMethods.join(',')}`);
  }
  const headers = (text: string) => headersOf(text, options.checkHeaders);
  return {
    kind: 'http',
    url,
    ...optional('method', parameter(settings, `check_${scheme}_method`, methodOf, note)),
    ...optional('headers', parameter(settings, `check_${scheme}_header`, headers, note)),
    ...(scheme === 'https' && skipVerify(settings)),
  };
}

function methodOf(text: string): string {
  if (/^[A-Za-z]{1,20}$/.test(text)) return text.toUpperCase();
  throw new Unusable(`${quoted(text)} is not an HTTP method`);
}

/** `Host: example.com, X-Trace: 1`. */
function headersOf(text: string, permitted: readonly string[] | undefined): Record<string, string[]> {
  const headers = new Map<string, string[]>();
  const given = commaList(text);
  if (given.length > MAX_HEADERS || text.length > MAX_HEADERS_LENGTH) {
    throw new Unusable(`more than ${MAX_HEADERS} headers, or ${MAX_HEADERS_LENGTH} characters`);
  }
  for (const header of given) {
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([\x20-\x7e\t]*)$/.exec(header) ?? [];
    if (name === undefined || value === undefined) {
      // Shows only the name: the value may be a token.
      const [start = ''] = header.trim().split(/[:\s]/);
      throw new Unusable(`${quoted(start)} is not a header; expected Name: value`);
    }
    if (CONNECTION_HEADERS.includes(name.toLowerCase())) {
      throw new Unusable(`${name} is a connection header, which checks must not set`);
    }
    if (permitted?.includes(name.toLowerCase()) === false) {
      throw new Unusable(`${name} is not one of --check-headers ${permitted.join(',')}`);
    }
    headers.set(name, [...(headers.get(name) ?? []), value]);
  }
  return Object.fromEntries(headers);
}
