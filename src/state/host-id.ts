import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Docker } from '../docker/engine.ts';

/** A running engine answers in milliseconds; an absent one must not delay the start. */
const TIMEOUT_MS = 3_000;

/** For a host without another stable identity. */
export const randomHostId = (): string => randomBytes(6).toString('hex');

/**
 * Twelve hex digits for a host without stored state, always the same for one Docker engine. So a daemon in a container
 * without a volume recognizes what its predecessor registered. An engine that reports another id each time (podman) has
 * no stable id; then the host's machine-id counts. Random if Docker does not answer, or without a machine-id.
 */
export async function hostIdOfEngine(
  docker: Pick<Docker, 'info'>,
  machineId: () => Promise<string>,
  timeoutMs = TIMEOUT_MS,
): Promise<string> {
  const done = new AbortController();
  const timeout = delay(timeoutMs, '', { signal: done.signal }).catch(() => '');
  const engineId = await Promise.race([stableEngineId(docker).catch(() => ''), timeout]);
  done.abort();
  const basis = engineId ?? (await machineId());
  if (basis === '') return randomHostId();
  return createHash('sha256').update(basis).digest('hex').slice(0, 12);
}

/** The engine's id if two answers agree on it, otherwise undefined. */
async function stableEngineId(docker: Pick<Docker, 'info'>): Promise<string | undefined> {
  const [one, other] = await Promise.all([docker.info(), docker.info()]);
  return one.id === other.id ? one.id : undefined;
}

/**
 * systemd's id of this installation (machine-id(5)), as the host's first process sees it; empty if it cannot be read. An
 * id in a container would be its image's, the same on every host; therefore our image has none.
 */
export async function readMachineId(procfs: string): Promise<string> {
  const text = await readFile(`${procfs}/1/root/etc/machine-id`, 'utf8').catch(() => '');
  return /^[0-9a-f]{32}$/.test(text.trim()) ? text.trim() : '';
}
