import type { KeptMetadata } from '../docker/kept-metadata.ts';
import { WORDS } from './environment.ts';

/** Variables and labels that mean something to heddle, beside those of SERVICE_*. */
const READ = /^(MARATHON_APP_|MESOS_TASK_ID$|PORT\d+$|PORT_\d+$|HOST$|WEAVE_|heddle\.|com\.docker\.)/;
/** Those that a container has once, and that its name, its addresses and its being attached depend on. */
const KEYS = [
  ...['heddle.cidr', 'heddle.role', 'WEAVE_CIDR', 'MARATHON_APP_ID', 'MESOS_TASK_ID', 'HOST', 'PORT0'],
  ...['com.docker.compose.service', 'com.docker.compose.oneoff', 'com.docker.compose.project'],
  ...['com.docker.swarm.service.name', 'com.docker.swarm.task.id', 'com.docker.stack.namespace'],
];
/** For a template that may name any of them. */
const FOR_TEMPLATES = 256 << 10;

export interface ReadMetadataSettings {
  readonly servicePrefix: string;
  readonly useIpFromLabel?: string | undefined;
  /** The template of `--tags`. */
  readonly tags?: unknown;
}

/** What is kept of containers' variables and labels: an image may bring megabytes of them. */
export function readMetadata({ servicePrefix, useIpFromLabel, tags }: ReadMetadataSettings): KeptMetadata {
  const isRead = (name: string) =>
    name.startsWith(servicePrefix) || READ.test(name) || name === useIpFromLabel;
  const wellKnown = new Set([...KEYS, ...[...WORDS].map((key) => `${servicePrefix}${key.toUpperCase()}`)]);
  const isWellKnown = (name: string) => wellKnown.has(name) || name === useIpFromLabel;
  return { isRead, isWellKnown, othersLimit: tags === undefined ? 0 : FOR_TEMPLATES };
}
