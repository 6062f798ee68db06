import type { Parts } from '../containers/parts.ts';
import { HeddleError } from '../errors.ts';

/**
 * Docker cannot start a container without its bridge.
 * @throws HeddleError `refused` where our bridge is Docker's
 */
export async function refuseDockerBridge({
  docker,
  bridge,
}: Pick<Parts, 'docker' | 'bridge'>): Promise<void> {
  const dockers = await docker.bridgeDevice().catch(() => undefined); // it is away, and so are its containers
  if (dockers !== bridge) return;
  throw new HeddleError(
    'refused',
    `${bridge} is the bridge of the Docker engine ${docker.address}, whose containers would lose their network: ` +
      'stop Docker first, or give --force',
  );
}
