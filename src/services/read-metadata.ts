import type { KeptMetadata } from '../docker/kept-metadata.ts';
import { KNOWN_KEYS } from './environment.ts';

/** Variables and labels that heddle reads, besides SERVICE_*. */
const READ = /^(MARATHON_APP_|MESOS_TASK_ID$|PORT\d+$|PORT_\d+$|HOST$|WEAVE_|heddle\.|com\.docker\.)/;
/** Keys that a container has once: its names, its addresses and its attachment depend on them. */
const KEYS = [
  ...['heddle.cidr', 'heddle.role', 'WEAVE_CIDR', 'MARATHON_APP_ID', 'MESOS_TASK_ID', 'HOST', 'PORT0'],
  ...['com.docker.compose.service', 'com.docker.compose.oneoff', 'com.docker.compose.project'],
  ...['com.docker.swarm.service.name', 'com.docker.swarm.task.id', 'com.docker.stack.namespace'],
];
/** Characters of other metadata that are kept for a tag template, which may read any of it. */
const FOR_TEMPLATES = 256 << 10;

export interface ReadMetadataSettings {
  readonly servicePrefix: string;
  readonly useIpFromLabel?: string | undefined;
  /** The template of `--tags`. */
  readonly tags?: unknown;
}

/** Which variables and labels of containers are kept: an image may have megabytes of them. */
export function readMetadata({ servicePrefix, useIpFromLabel, tags }: ReadMetadataSettings): KeptMetadata {
  const isRead = (name: string) =>
    name.startsWith(servicePrefix) || READ.test(name) || name === useIpFromLabel;
  const wellKnown = new Set([
    ...KEYS,
    ...[...KNOWN_KEYS].map((key) => `${servicePrefix}${key.toUpperCase()}`),
  ]);
  const isWellKnown = (name: string) => wellKnown.has(name) || name === useIpFromLabel;
  return { isRead, isWellKnown, othersLimit: tags === undefined ? 0 : FOR_TEMPLATES };
}
