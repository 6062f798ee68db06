import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Docker } from '../docker/engine.ts';

/** An engine that is there answers in milliseconds; one that is away must not hold up a start. */
const TIMEOUT_MS = 3_000;

/** For a host that nothing else tells from others. */
export const randomHostId = (): string => randomBytes(6).toString('hex');

/**
 * Twelve hex digits for a host of which no state is kept: always the same for one Docker engine, so that a daemon in
 * a container without a volume knows again what the one before it registered. An engine that gives another id with
 * every answer (podman) has none; then the host's machine-id counts. Random while Docker does not answer, and where
 * there is no machine-id.
 */
export async function hostIdOfEngine(
  docker: Pick<Docker, 'info'>,
  machineId: () => Promise<string>,
  timeoutMs = TIMEOUT_MS,
): Promise<string> {
  const over = new AbortController();
  const late = delay(timeoutMs, '', { signal: over.signal }).catch(() => '');
  const asked = stableEngineId(docker).catch(() => '');
  const engine = await Promise.race([asked, late]);
  over.abort();
  const basis = engine ?? (await machineId());
  if (basis === '') return randomHostId();
  return createHash('sha256').update(basis).digest('hex').slice(0, 12);
}

/** The engine's id, if two answers agree on it; undefined for an engine whose answers do not. */
async function stableEngineId(docker: Pick<Docker, 'info'>): Promise<string | undefined> {
  const [one, other] = await Promise.all([docker.info(), docker.info()]);
  return one.id === other.id ? one.id : undefined;
}

/**
 * systemd's name for this installation of the host (machine-id(5)), as the host's first process sees it; empty where it
 * cannot be read. That of a container would be its image's, the same on every host, so our image has none.
 */
export async function readMachineId(procfs: string): Promise<string> {
  const text = await readFile(`${procfs}/1/root/etc/machine-id`, 'utf8').catch(() => '');
  return /^[0-9a-f]{32}$/.test(text.trim()) ? text.trim() : '';
}
