import { HeddleError } from '../errors.ts';
import { withoutSecrets } from '../runtime/secrets.ts';

/** The kind and the address of the registry. */
export type RegistryUri = EmbeddedUri | ConsulUri;

export interface EmbeddedUri {
  readonly kind: 'embedded';
}

export type ConsulUri =
  | { readonly kind: 'consul'; readonly host: string; readonly port: number; readonly tls: boolean }
  | { readonly kind: 'consul'; readonly socketPath: string };

const EXPECTED =
  'expected embedded, consul://host:port, consul-tls://host:port or consul-unix:///path/to/socket';

/** Consul's own ports for HTTP and HTTPS. */
const PORT = 8500;
const TLS_PORT = 8501;

/**
 * Parses `--registry`, and CONSUL_HTTP_ADDR in the forms that Consul's own tools accept: `host:port`,
 * `http://host:port`, `https://host:port`, `unix:///path`. A missing host or port defaults to 127.0.0.1:8500.
 * @throws HeddleError `bad-input`
 */
export function parseRegistryUri(text: string): RegistryUri {
  if (text === 'embedded') return { kind: 'embedded' };
  const [, scheme = 'http', rest] = /^(?:([a-z][a-z0-9-]*):\/\/)?(.*)$/s.exec(text) ?? [];
  switch (scheme) {
    case 'consul-unix':
    case 'unix':
      if (rest === undefined || !rest.startsWith('/'))
        throw unreadable(text, 'the socket path must be absolute');
      if (/\p{Cc}/u.test(rest)) throw unreadable(text, 'the socket path contains control characters');
      return { kind: 'consul', socketPath: rest };
    case 'consul-tls':
    case 'https':
      return { kind: 'consul', ...hostAndPort(text, rest ?? '', TLS_PORT), tls: true };
    case 'consul':
    case 'http':
      return { kind: 'consul', ...hostAndPort(text, rest ?? '', PORT), tls: false };
    case 'etcd':
    case 'skydns2':
    case 'zookeeper':
    case 'consulkv':
    case 'consulkv-unix':
      throw unreadable(
        text,
        `heddle has no ${scheme} backend; it supports Consul and its own embedded registry`,
      );
    default:
      throw unreadable(text, `unknown registry ${JSON.stringify(scheme)}`);
  }
}

/** Formats the URI for messages and the status. */
export function formatRegistryUri(uri: RegistryUri): string {
  if (uri.kind === 'embedded') return 'embedded';
  if ('socketPath' in uri) return `consul-unix://${uri.socketPath}`;
  const host = uri.host.includes(':') ? `[${uri.host}]` : uri.host;
  return `${uri.tls ? 'consul-tls' : 'consul'}://${host}:${uri.port}`;
}

function hostAndPort(text: string, rest: string, defaultPort: number): { host: string; port: number } {
  const authority = rest.replace(/\/$/, '');
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:/?#@[\]\s]*))(?::(\d+))?$/.exec(authority) ?? [];
  const isHost = plain === '' || URL.canParse(`http://${plain ?? `[${bracketed}]`}`);
  // A URL parser drops or rejects characters that no host name contains.
  if ((bracketed === undefined && plain === undefined) || !isHost || /[^\p{L}\p{N}_.-]/u.test(plain ?? ''))
    throw unreadable(text, 'invalid host and port');
  const number = port === undefined ? defaultPort : Number(port);
  if (number < 1 || number > 65_535) throw unreadable(text, `port ${port} is out of range`);
  return { host: bracketed || plain || '127.0.0.1', port: number };
}

function unreadable(text: string, why: string): HeddleError {
  return new HeddleError(
    'bad-input',
    `registry ${JSON.stringify(withoutSecrets(text))}: ${why}; ${EXPECTED}`,
  );
}
