import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { HeddleError, messageOf, systemCode } from '../errors.ts';
import { type DockerTls, readCertificates } from './tls.ts';

/** The engine that a context of the docker client stands for. */
export interface DockerContext {
  readonly name: string;
  /** As in DOCKER_HOST. */
  readonly host: string;
  readonly tls: DockerTls | undefined;
}

/** The docker client's name for the engine that it uses without a context. */
const DEFAULT = 'default';

const ClientConfig = v.object({ currentContext: v.optional(v.string()) });
const ContextMeta = v.object({
  Endpoints: v.object({
    docker: v.object({ Host: v.string(), SkipTLSVerify: v.optional(v.boolean(), false) }),
  }),
});

/**
 * The context that the docker client would use: DOCKER_CONTEXT, else the one chosen by `docker context use`.
 * @returns undefined for the default context
 * @throws HeddleError `not-found` for a missing context, `bad-input` for files that cannot be parsed
 */
export function dockerContext(env: Readonly<Record<string, string | undefined>>): DockerContext | undefined {
  const folder = env.DOCKER_CONFIG || join(env.HOME ?? '/root', '.docker');
  const name =
    env.DOCKER_CONTEXT || read(join(folder, 'config.json'), ClientConfig)?.currentContext || DEFAULT;
  if (name === DEFAULT) return undefined;
  const id = createHash('sha256').update(name).digest('hex');
  const meta = read(join(folder, 'contexts/meta', id, 'meta.json'), ContextMeta);
  if (meta === undefined) {
    throw new HeddleError(
      'not-found',
      `docker context '${name}' cannot be found in ${folder}; docker context ls lists the existing ones`,
    );
  }
  const { Host: host, SkipTLSVerify: unchecked } = meta.Endpoints.docker;
  const certificates = join(folder, 'contexts/tls', id, 'docker');
  const tls = existsSync(certificates) ? readCertificates(certificates, !unchecked) : undefined;
  return { name, host, tls };
}

function read<Schema extends v.GenericSchema>(
  path: string,
  schema: Schema,
): v.InferOutput<Schema> | undefined {
  try {
    return v.parse(schema, JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    // HOME may be another user's, as with `sudo -u` that keeps HOME. An unreadable file counts as no choice.
    if (['ENOENT', 'EACCES'].includes(systemCode(cause) ?? '')) return undefined;
    const message = `cannot read the docker client's ${path}: ${messageOf(cause)}; name the engine with DOCKER_HOST`;
    throw new HeddleError('bad-input', message, { cause });
  }
}
