import type { Parts } from '../containers/parts.ts';
import { HeddleError } from '../errors.ts';

/**
 * Docker cannot start a container without its bridge, so heddle removes that bridge only by force.
 * @throws HeddleError `refused` where heddle's bridge is Docker's bridge
 */
export async function refuseDockerBridge({
  docker,
  bridge,
}: Pick<Parts, 'docker' | 'bridge'>): Promise<void> {
  const dockerBridge = await docker.bridgeDevice().catch(() => undefined); // Docker is down, and so are its containers
  if (dockerBridge !== bridge) return;
  throw new HeddleError(
    'refused',
    `${bridge} is the bridge of the Docker engine ${docker.address}, whose containers would lose their network: ` +
      'stop Docker first, or use --force',
  );
}
