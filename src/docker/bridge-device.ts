import { hasCode } from '../errors.ts';
import { DEFAULT_DEVICE } from './bridge.ts';
import type { Docker } from './engine.ts';

export interface BridgeDeviceNeeds {
  readonly docker: Pick<Docker, 'bridgeDevice'>;
  /** `--docker-bridge`; if set, the engine is not asked. */
  readonly given: string | undefined;
  readonly warn: (sentence: string) => void;
}

/**
 * Returns the bridge of Docker's own network; the engine is asked at each call. If the engine is unreachable or sends an
 * invalid answer, the last known bridge is returned, so that DNS keeps working there. A proxy that allows only part of
 * Docker's API refuses the request. Then the default bridge is used, and a warning is logged once.
 */
export function bridgeDevice({ docker, given, warn }: BridgeDeviceNeeds): () => Promise<string> {
  let hasWarned = false;
  let last: string | undefined;
  return async () => {
    if (given !== undefined) return given;
    try {
      last = await docker.bridgeDevice();
      return last;
    } catch (error) {
      if (last !== undefined) return last;
      if (!hasCode(error, 'refused')) throw error;
      if (!hasWarned)
        warn(`${error.message}; using ${DEFAULT_DEVICE} as Docker's bridge: name it with --docker-bridge`);
      hasWarned = true;
      return DEFAULT_DEVICE;
    }
  };
}
