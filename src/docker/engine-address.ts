import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HeddleError } from '../errors.ts';
import { withoutSecrets } from '../runtime/secrets.ts';
import { dockerContext } from './context.ts';
import type { SshHost } from './ssh.ts';
import { type DockerTls, readCertificates } from './tls.ts';

/** Where an engine's API is, as the docker command line finds it. */
export type EngineAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly tls: DockerTls | undefined;
    }
  | ({ readonly kind: 'ssh' } & SshHost);

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_SOCKET = '/var/run/docker.sock';
/** Where registrator expected the engine's socket to be mounted; command lines for registrator work unchanged. */
const REGISTRATOR_SOCKET = '/tmp/docker.sock';

/**
 * The engine that DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH name; else that of the docker client's context;
 * else the engine of this host.
 * @throws HeddleError `bad-input` for an address that cannot be parsed or certificates that cannot be read, `not-found`
 * for a missing context
 */
export function engineAddress(
  env: Environment,
  exists: (path: string) => boolean = existsSync,
): EngineAddress {
  const text = env.DOCKER_HOST?.trim();
  if (text) return parseHost(text, 'DOCKER_HOST', (url) => certificates(env, url));
  const context = dockerContext(env);
  if (context) return parseHost(context.host, `docker context '${context.name}'`, () => context.tls);
  return defaultAddress(exists);
}

/** The engine of this host: the default socket, or registrator's if only that one exists. */
export function defaultAddress(exists: (path: string) => boolean = existsSync): EngineAddress {
  const path = !exists(DEFAULT_SOCKET) && exists(REGISTRATOR_SOCKET) ? REGISTRATOR_SOCKET : DEFAULT_SOCKET;
  return { kind: 'unix', path };
}

/** `unix:///var/run/docker.sock`, for messages. */
export function formatAddress(host: EngineAddress): string {
  if (host.kind === 'unix') return `unix://${host.path}`;
  const bracketed = host.host.includes(':') ? `[${host.host}]` : host.host;
  if (host.kind === 'tcp') return `tcp://${bracketed}:${host.port}`;
  return `ssh://${host.user ? `${host.user}@` : ''}${bracketed}${host.port ? `:${host.port}` : ''}`;
}

/** @param source where the text comes from, for messages */
function parseHost(text: string, source: string, tlsOf: (url: URL) => DockerTls | undefined): EngineAddress {
  if (text.startsWith('unix://'))
    return { kind: 'unix', path: text.slice('unix://'.length) || DEFAULT_SOCKET };
  const url = parseUrl(text, source);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.protocol === 'ssh:') {
    return {
      kind: 'ssh',
      host,
      port: url.port === '' ? undefined : Number(url.port),
      user: decodeURIComponent(url.username) || undefined,
    };
  }
  const tls = tlsOf(url);
  return { kind: 'tcp', host, port: Number(url.port || (tls ? 2376 : 2375)), tls };
}

function parseUrl(text: string, source: string): URL {
  const url = URL.parse(text.includes('://') ? text : `tcp://${text}`);
  const isKnown = url?.hostname && ['tcp:', 'http:', 'https:', 'ssh:'].includes(url.protocol);
  // ssh://host/path would name another socket on that host, which is not supported.
  const isHost = url?.protocol !== 'ssh:' || (['', '/'].includes(url.pathname) && isDecodable(url.username));
  if (isKnown && isHost) return url;
  throw new HeddleError(
    'bad-input',
    `${source} is '${withoutSecrets(text)}'; expected unix:///path, tcp://host:port or ssh://user@host`,
  );
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function certificates(env: Environment, url: URL): DockerTls | undefined {
  const verify = Boolean(env.DOCKER_TLS_VERIFY);
  if (!verify && !env.DOCKER_TLS && url.protocol !== 'https:') return undefined;
  return readCertificates(env.DOCKER_CERT_PATH || join(env.HOME ?? '/root', '.docker'), verify);
}
