import { setTimeout as delay } from 'node:timers/promises';
import { runInContainer } from '../control/remote.ts';
import type { DockerClient } from '../docker/client.ts';
import { DockerEngine } from '../docker/engine.ts';
import { HeddleError } from '../errors.ts';
import { collect } from '../runtime/io.ts';

/** A daemon that has not answered by then has a reason, and its log tells it. */
const READY_MS = 30_000;
const RETRY_MS = 200;

/**
 * Resolves when the daemon in the container takes words.
 * @param isOnlyDaemon whether no other daemon would answer in its stead
 * @throws HeddleError `failed` with its last words when it has ended, or does not in time
 */
export async function waitUntilReady(
  client: DockerClient,
  id: string,
  isOnlyDaemon: () => Promise<boolean> = async () => true,
): Promise<void> {
  const engine = new DockerEngine(client);
  const deadline = performance.now() + READY_MS;
  const first = await engine.inspect(id);
  for (;;) {
    const container = await engine.inspect(id);
    // Docker has started it a second time: it ended by itself, and will again.
    const again = container?.startedAt !== first?.startedAt;
    if (container?.running && (await isOnlyDaemon()) && (await answers(client, id))) return;
    if (!container?.running || again || performance.now() > deadline) {
      throw new HeddleError(
        'failed',
        `the daemon in container ${id.slice(0, 12)} did not come up: ${await lastLogLines(client, id)}`,
      );
    }
    await delay(RETRY_MS);
  }
}

async function answers(client: DockerClient, id: string): Promise<boolean> {
  const silent = { stdout: collect(), stderr: collect() };
  return (await runInContainer(client, id, ['status'], silent).catch(() => 1)) === 0;
}

async function lastLogLines(client: DockerClient, id: string): Promise<string> {
  const log = await client.call('read its log', (docker) =>
    docker.getContainer(id).logs({ stdout: true, stderr: true, tail: 3 }),
  );
  const { stdout, stderr } = splitLog(log);
  return stderr.trim() || stdout.trim() || 'it said nothing';
}

/** A container's log (Docker's API, "attach"): pieces, each behind its stream, three zeros and its length. */
function splitLog(log: Buffer): { readonly stdout: string; readonly stderr: string } {
  const streams: Record<number, string> = { 1: '', 2: '' };
  for (let at = 0; at + 8 <= log.length; ) {
    const end = at + 8 + log.readUInt32BE(at + 4);
    streams[log[at] ?? 0] += log.toString('utf8', at + 8, end);
    at = end;
  }
  return { stdout: streams[1] ?? '', stderr: streams[2] ?? '' };
}
