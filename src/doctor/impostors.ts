import type { Snapshot } from '../docker/snapshot.ts';
import { type Finding, ok } from './finding.ts';

const subject = 'neighbours';

/**
 * Whether containers answer for addresses that are assigned to others.
 * @param problemsOf sentences about a container
 */
export function findImpostors(
  running: readonly Pick<Snapshot, 'id' | 'name'>[],
  problemsOf: (container: string) => readonly string[],
): Finding {
  const found = running.flatMap(({ id, name }) => problemsOf(id).map((problem) => `${name}: ${problem}`));
  if (found.length === 0) return ok(subject, 'no container answers for an address of another one');
  return {
    subject,
    state: 'failed',
    detail: found.join('; '),
    advice: 'stop these containers, and start them with --cap-drop NET_RAW',
  };
}
