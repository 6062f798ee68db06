import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Docker } from './docker/engine.ts';

/** An engine that is there answers in milliseconds; one that is away must not hold up a start. */
const PATIENCE_MS = 3_000;

/** For a host that nothing else tells from others. */
export const randomHostId = (): string => randomBytes(6).toString('hex');

/**
 * Twelve hex digits for a host of which no state is kept: always the same for one Docker engine, so that a daemon in
 * a container without a volume knows again what the one before it registered. Random while Docker does not answer.
 */
export async function hostIdOfEngine(docker: Pick<Docker, 'info'>, patience = PATIENCE_MS): Promise<string> {
  const over = new AbortController();
  const late = delay(patience, '', { signal: over.signal }).catch(() => '');
  const asked = docker.info().then(
    ({ id }) => id,
    () => '',
  );
  const engine = await Promise.race([asked, late]);
  over.abort();
  if (engine === '') return randomHostId();
  return createHash('sha256').update(engine).digest('hex').slice(0, 12);
}
