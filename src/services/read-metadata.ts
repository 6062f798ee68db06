import type { KeptMetadata } from '../docker/kept-metadata.ts';

/** Variables and labels that mean something to heddle, beside those of SERVICE_*. */
const READ = /^(MARATHON_APP_|MESOS_TASK_ID$|PORT\d+$|PORT_\d+$|HOST$|WEAVE_|heddle\.|com\.docker\.)/;
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
  return { isRead, othersLimit: tags === undefined ? 0 : FOR_TEMPLATES };
}
