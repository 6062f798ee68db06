import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HeddleError, messageOf } from '../errors.ts';

/** Where an engine's API is, as the docker command line reads it from the environment. */
export type DockerHost =
  | { readonly kind: 'unix'; readonly path: string }
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly tls: DockerTls | undefined;
    }
  | { readonly kind: 'ssh'; readonly host: string; readonly port: number; readonly user: string };

export interface DockerTls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** False for DOCKER_TLS without DOCKER_TLS_VERIFY: encrypted, but the engine's name is not checked. */
  readonly verify: boolean;
}

const DEFAULT_SOCKET = '/var/run/docker.sock';
/** Where registrator expected the engine's socket to be mounted; its users' lines work unchanged. */
const REGISTRATOR_SOCKET = '/tmp/docker.sock';

/**
 * The engine that DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH name; without them the default socket, or
 * registrator's where only that one exists.
 * @throws HeddleError `bad-input` for an address that cannot be understood or certificates that cannot be read
 */
export function dockerHost(
  env: Readonly<Record<string, string | undefined>>,
  exists: (path: string) => boolean = existsSync,
): DockerHost {
  const text = env.DOCKER_HOST?.trim();
  if (!text) {
    return {
      kind: 'unix',
      path: !exists(DEFAULT_SOCKET) && exists(REGISTRATOR_SOCKET) ? REGISTRATOR_SOCKET : DEFAULT_SOCKET,
    };
  }
  if (text.startsWith('unix://'))
    return { kind: 'unix', path: text.slice('unix://'.length) || DEFAULT_SOCKET };
  const url = parseUrl(text);
  if (url.protocol === 'ssh:') {
    return {
      kind: 'ssh',
      host: url.hostname,
      port: Number(url.port || 22),
      user: decodeURIComponent(url.username),
    };
  }
  const tls = certificates(env, url);
  const port = Number(url.port || (tls ? 2376 : 2375));
  return { kind: 'tcp', host: url.hostname.replace(/^\[|\]$/g, ''), port, tls };
}

/** `unix:///var/run/docker.sock`, for messages. */
export function describeHost(host: DockerHost): string {
  if (host.kind === 'unix') return `unix://${host.path}`;
  const bracketed = host.host.includes(':') ? `[${host.host}]` : host.host;
  return `${host.kind}://${bracketed}:${host.port}`;
}

function parseUrl(text: string): URL {
  const url = URL.parse(text.includes('://') ? text : `tcp://${text}`);
  if (url?.hostname && ['tcp:', 'http:', 'https:', 'ssh:'].includes(url.protocol)) return url;
  throw new HeddleError(
    'bad-input',
    `DOCKER_HOST is '${text}'; expected unix:///path, tcp://host:port or ssh://user@host`,
  );
}

function certificates(env: Readonly<Record<string, string | undefined>>, url: URL): DockerTls | undefined {
  const verify = Boolean(env.DOCKER_TLS_VERIFY);
  if (!verify && !env.DOCKER_TLS && url.protocol !== 'https:') return undefined;
  const folder = env.DOCKER_CERT_PATH || join(env.HOME ?? '/root', '.docker');
  try {
    const read = (file: string) => readFileSync(join(folder, file), 'utf8');
    return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem'), verify };
  } catch (cause) {
    throw new HeddleError(
      'bad-input',
      `cannot read Docker's TLS certificates: ${messageOf(cause)}; set DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and key.pem`,
      { cause },
    );
  }
}
