import { registerHooks } from 'node:module';
import type Dockerode from 'dockerode';

/** What dockerode loads for builds by BuildKit, which heddle never starts, and for ssh, where it uses the caller's. */
const UNNEEDED: ReadonlySet<string> = new Set(['@grpc/grpc-js', '@grpc/proto-loader', 'protobufjs', 'ssh2']);

const NOTHING = 'heddle:nothing';

/**
 * Loads dockerode without the packages that heddle does not need: they are two thirds of the time and half of the
 * memory that it costs.
 */
export async function loadDockerode(): Promise<typeof Dockerode> {
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      UNNEEDED.has(specifier)
        ? { url: NOTHING, format: 'commonjs', shortCircuit: true }
        : next(specifier, context),
    load: (url, context, next) =>
      url === NOTHING
        ? { format: 'commonjs', source: 'module.exports = {};', shortCircuit: true }
        : next(url, context),
  });
  try {
    return (await import('dockerode')).default;
  } finally {
    hooks.deregister();
  }
}
