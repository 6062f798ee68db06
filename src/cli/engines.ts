import type { DockerClient } from '../docker/client.ts';
import type { EngineAddress } from '../docker/engine-address.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Trace = ((line: string) => void) | undefined;

/** A client of the engine that DOCKER_HOST names. @param trace receives a line for each request */
export async function namedEngine(env: Environment, trace: Trace): Promise<DockerClient> {
  const { engineAddress } = await import('../docker/engine-address.ts');
  const { DockerClient } = await import('../docker/client.ts');
  return new DockerClient(engineAddress(env), trace);
}

/** A client of this host's own engine, for a command that uses it beside the one that DOCKER_HOST names. */
export async function ownEngine(env: Environment, trace: Trace): Promise<DockerClient> {
  const { defaultAddress, formatAddress, engineAddress } = await import('../docker/engine-address.ts');
  const { DockerClient } = await import('../docker/client.ts');
  const { DOCKER_HOST, ...withoutHost } = env;
  const address = DOCKER_HOST ? engineAddress(withoutHost) : defaultAddress();
  // Two engines are in use: the trace marks the requests to this one.
  return new DockerClient(address, trace && ((line) => trace(`${line} # ${formatAddress(address)}`)));
}

/** The address of the engine that DOCKER_HOST or the docker client's context names, if it is on another host. */
export async function otherHost(env: Environment): Promise<EngineAddress | undefined> {
  const { engineAddress } = await import('../docker/engine-address.ts');
  try {
    const address = engineAddress(env);
    return address.kind === 'unix' ? undefined : address;
  } catch {
    return undefined;
  }
}
