import type { Snapshot } from '../docker/snapshot.ts';

/** A label of our image, and of what is made from it: `daemon` is known again by it, whatever it is called. */
export const ROLE_LABEL = 'heddle.role';

/** Whether a container says that it is heddle itself: a daemon, or a helper that runs one command. */
export const isHeddleItself = ({
  metadata,
  labelNames,
}: Pick<Snapshot, 'metadata' | 'labelNames'>): boolean =>
  labelNames.has(ROLE_LABEL) && metadata.has(ROLE_LABEL);

/** What such a container is, for people. */
export const ownText = ({ metadata }: Pick<Snapshot, 'metadata'>): string =>
  metadata.get(ROLE_LABEL) === 'helper' ? 'heddle itself, for one command' : 'heddle itself';
