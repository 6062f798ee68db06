import { HeddleError } from '../errors.ts';
import { DEFAULT_DEVICE } from './bridge.ts';
import type { Docker } from './engine.ts';

export interface BridgeDeviceNeeds {
  readonly docker: Pick<Docker, 'bridgeDevice'>;
  /** `--docker-bridge`; nobody is asked then. */
  readonly given: string | undefined;
  readonly warn: (sentence: string) => void;
}

/**
 * The bridge of Docker's own network, asked for when it is needed. While the engine is away, or its answer makes no
 * sense, it is the one of before: DNS goes on there. A proxy that lets through only part of Docker's API refuses the
 * question: that is no bridge that is not there yet, so the usual one is taken and a warning says so, once.
 */
export function bridgeDevice({ docker, given, warn }: BridgeDeviceNeeds): () => Promise<string> {
  let isSaid = false;
  let last: string | undefined;
  return async () => {
    if (given !== undefined) return given;
    try {
      last = await docker.bridgeDevice();
      return last;
    } catch (error) {
      if (last !== undefined) return last;
      if (!(error instanceof HeddleError) || error.code !== 'refused') throw error;
      if (!isSaid)
        warn(`${error.message}; taking ${DEFAULT_DEVICE} for Docker's bridge: name it with --docker-bridge`);
      isSaid = true;
      return DEFAULT_DEVICE;
    }
  };
}
