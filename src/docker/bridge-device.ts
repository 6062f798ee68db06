import { HeddleError } from '../errors.ts';
import type { Docker } from './engine.ts';

export interface BridgeDeviceNeeds {
  readonly docker: Pick<Docker, 'bridgeDevice'>;
  /** `--docker-bridge`; nobody is asked then. */
  readonly given: string | undefined;
  readonly warn: (sentence: string) => void;
}

const USUAL = 'docker0';

/**
 * The bridge of Docker's own network, asked for when it is needed. A proxy that lets through only part of Docker's API
 * refuses the question: that is no bridge that is not there yet, so the usual one is taken and a warning says so, once.
 */
export function bridgeDevice({ docker, given, warn }: BridgeDeviceNeeds): () => Promise<string> {
  let isSaid = false;
  return async () => {
    if (given !== undefined) return given;
    try {
      return await docker.bridgeDevice();
    } catch (error) {
      if (!(error instanceof HeddleError) || error.code !== 'refused') throw error;
      if (!isSaid)
        warn(`${error.message}; taking ${USUAL} for Docker's bridge: name it with --docker-bridge`);
      isSaid = true;
      return USUAL;
    }
  };
}
