import type { ContainerPort, Snapshot } from '../../docker/snapshot.ts';
import { commaList, type Environment } from '../environment.ts';
import { shown } from '../meta.ts';
import { dnsLabel, imageName } from './dns-label.ts';
import { type MarathonName, marathonName } from './marathon.ts';
import { firstPort } from './marathon-task.ts';

/** The names and tags that a port is registered with, without SERVICE_TAGS. */
export interface Naming {
  /** DNS labels: several for `SERVICE_80_NAME=a,b`, none if the port is not to be registered. */
  readonly names: readonly string[];
  readonly tags: readonly string[];
  readonly problems: readonly string[];
}

export interface NamingOptions {
  /** Register only containers with a SERVICE_NAME (registrator's `-explicit`). */
  readonly explicit?: boolean;
  /** Prefer the compose or Swarm service label to the image's name. */
  readonly composeNames?: boolean;
}

/** One source of names. */
interface Source {
  readonly names: readonly string[];
  readonly tags: readonly string[];
  /** The source as named in messages. */
  readonly origin: string;
  /** True if the names get a `-<port>` suffix. */
  readonly suffixed: boolean;
  readonly problem?: string;
}

const COMPOSE_SERVICE = 'com.docker.compose.service';
const SWARM_SERVICE = 'com.docker.swarm.service.name';
const STACK = 'com.docker.stack.namespace';

/** More names than this on one port are a mistake or an attack. */
const MAX_NAMES = 16;

/**
 * Names one port of a container by SERVICE_<port>_NAME, SERVICE_NAME, MARATHON_APP_ID, the compose label or the image:
 * the first source with a usable name wins. If a container has several ports, each name that was not set for its port
 * gets the suffix `-<port>`, as in registrator. A Marathon app keeps the plain name for its first port.
 */
export function naming(
  snapshot: Snapshot,
  environment: Environment,
  port: ContainerPort | undefined,
  options: NamingOptions,
): Naming {
  const problems: string[] = [];
  for (const source of sources(snapshot, environment, port, options)) {
    if (source.problem !== undefined) problems.push(source.problem);
    const suffix = source.suffixed ? `-${port?.port}` : '';
    const names = new Set<string>();
    for (const given of source.names) {
      const label = dnsLabel(given);
      const name = label === '' ? '' : dnsLabel(`${label}${suffix}`);
      const why = refusal(name);
      if (why !== undefined)
        problems.push(`${source.origin} ${JSON.stringify(shown(given))} is refused: ${why}`);
      else names.add(name);
      if (label !== '' && label !== given.toLowerCase()) {
        problems.push(
          `${source.origin} ${JSON.stringify(shown(given))} is not a DNS label and becomes ${label}`,
        );
      }
    }
    if (names.size > 0) return { names: [...names], tags: source.tags, problems };
  }
  return { names: [], tags: [], problems };
}

function* sources(
  snapshot: Snapshot,
  environment: Environment,
  port: ContainerPort | undefined,
  options: NamingOptions,
): Generator<Source> {
  const several = snapshot.ports.length > 1;
  const setting = environment.settings(port?.port, port?.protocol).get('name');
  if (setting !== undefined && setting.value.trim() !== '') {
    const given = commaList(setting.value);
    const own = port !== undefined && environment.isForPort('name', port.port, port.protocol);
    yield {
      names: given.slice(0, MAX_NAMES),
      tags: [],
      origin: setting.variable,
      suffixed: several && !own,
      ...(given.length > MAX_NAMES && { problem: `${setting.variable} has more than ${MAX_NAMES} names` }),
    };
  }
  if (options.explicit === true) return;

  const marathon = marathonName(snapshot.metadata.get('MARATHON_APP_ID') ?? '');
  if (marathon !== undefined) yield marathonSource(marathon, several && port !== firstPort(snapshot));

  if (options.composeNames === true) {
    const compose = snapshot.metadata.get(COMPOSE_SERVICE);
    if (compose !== undefined) {
      yield { names: [compose], tags: [], origin: `label ${COMPOSE_SERVICE}`, suffixed: several };
    }
    const swarm = swarmService(snapshot.metadata);
    if (swarm !== undefined) {
      yield { names: [swarm], tags: [], origin: `label ${SWARM_SERVICE}`, suffixed: several };
    }
  }
  const image = imageName(snapshot.image);
  if (image !== '') yield { names: [image], tags: [], origin: 'image name', suffixed: several };
  yield { names: [dnsLabel(snapshot.name)], tags: [], origin: 'container name', suffixed: several };
}

/** The Swarm service without the stack's name, as in compose: `web` of `shop_web`. */
function swarmService(metadata: Snapshot['metadata']): string | undefined {
  const name = metadata.get(SWARM_SERVICE);
  const stack = `${metadata.get(STACK) ?? ''}_`;
  return name?.startsWith(stack) ? name.slice(stack.length) : name;
}

function marathonSource(marathon: MarathonName, suffixed: boolean): Source {
  const origin = 'MARATHON_APP_ID';
  if ('problem' in marathon) return { names: [], tags: [], origin, suffixed, problem: marathon.problem };
  return { names: [marathon.name], tags: marathon.tags, origin, suffixed };
}

function refusal(name: string): string | undefined {
  if (name === '') return 'a name needs a letter or digit';
  // Consul's servers register under this name; a container with it would get their clients.
  if (name === 'consul') return 'that name belongs to the Consul servers; give another SERVICE_NAME';
  return undefined;
}
