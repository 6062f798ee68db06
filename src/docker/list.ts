import { hash } from 'node:crypto';
import type { ContainerInfo } from 'dockerode';
import { isContainerId } from './container-name.ts';

/** What the engine's list tells of a container; an inspection tells the rest. */
export interface Listed {
  readonly id: string;
  /** Another text whenever the list tells anything else of its state, health, names or networks. */
  readonly state: string;
}

/** A line of `GET /containers/json`. What never changes of a container is left out, and so is its age, which does. */
export function listedOf(line: ContainerInfo): Listed {
  const { Id: id, State: state, Status: status, Names: names, NetworkSettings: settings } = line;
  if (!isContainerId(id)) throw new Error('a container without an id');
  // `Up 2 hours (healthy)`: the list has a container's health nowhere else.
  const health = /\((.*)\)$/.exec(status ?? '')?.[1];
  const networks = Object.entries(settings?.Networks ?? {})
    // A container that was restarted unheard has another endpoint, whatever its addresses.
    .map(([name, at]) => [name, at?.EndpointID, at?.IPAddress, at?.GlobalIPv6Address])
    .sort();
  return { id, state: hash('sha1', JSON.stringify([state, health, names, networks]), 'base64') };
}
