import { hash } from 'node:crypto';
import type { ContainerInfo } from 'dockerode';
import { isContainerId } from './container-name.ts';

/** A container in the engine's list; an inspection gives the rest. */
export interface Listed {
  readonly id: string;
  /** A hash that changes whenever the listed state, health, names or networks change. */
  readonly state: string;
}

/** Parses an entry of `GET /containers/json`. The hash covers neither what never changes nor the age, which always does. */
export function listedOf(line: ContainerInfo): Listed {
  const { Id: id, State: state, Status: status, Names: names, NetworkSettings: settings } = line;
  if (!isContainerId(id)) throw new Error('a container without an id');
  // `Up 2 hours (healthy)`: the list has a container's health only here.
  const health = /\((.*)\)$/.exec(status ?? '')?.[1];
  const networks = Object.entries(settings?.Networks ?? {})
    // After a restart whose events were missed, the endpoint differs even if the addresses are the same.
    .map(([name, endpoint]) => [name, endpoint?.EndpointID, endpoint?.IPAddress, endpoint?.GlobalIPv6Address])
    .sort();
  return { id, state: hash('sha1', JSON.stringify([state, health, names, networks]), 'base64') };
}
