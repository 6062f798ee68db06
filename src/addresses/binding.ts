import type { PublishedPort } from '../docker/snapshot.ts';
import { familyOf } from '../network/cidr.ts';
import { isUnspecified } from './reachable.ts';

/** True for a port that is published on a loopback address, so that only the host itself reaches it. */
export const isLoopback = ({ hostIp }: PublishedPort): boolean =>
  hostIp === '::1' || hostIp.startsWith('127.');

/** True for a port that is published at every address of the host. */
export const isEveryAddress = ({ hostIp }: PublishedPort): boolean =>
  isUnspecified(hostIp) || familyOf(hostIp) === undefined;
