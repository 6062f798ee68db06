import { setTimeout as delay } from 'node:timers/promises';
import { runInContainer } from '../control/remote.ts';
import type { DockerClient } from '../docker/client.ts';
import { DockerEngine } from '../docker/engine.ts';
import { HeddleError } from '../errors.ts';
import { collect } from '../runtime/io.ts';

/** A daemon that does not answer within this time has a problem, which its log shows. */
const READY_MS = 30_000;
const RETRY_MS = 200;

/**
 * Resolves when the daemon in the container runs commands.
 * @param isOnlyDaemon false while another daemon would answer the same commands
 * @throws HeddleError `failed` with the last log lines when the daemon has ended, or is not ready in time
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
    // Docker has started the container again: the daemon ended by itself, and will do so again.
    const restarted = container?.startedAt !== first?.startedAt;
    if (container?.running && (await isOnlyDaemon()) && (await answers(client, id))) return;
    if (!container?.running || restarted || performance.now() > deadline) {
      throw new HeddleError(
        'failed',
        `the daemon in container ${id.slice(0, 12)} did not start: ${await lastLogLines(client, id)}`,
      );
    }
    await delay(RETRY_MS);
  }
}

async function answers(client: DockerClient, id: string): Promise<boolean> {
  const discarded = { stdout: collect(), stderr: collect() };
  return (await runInContainer(client, id, ['status'], discarded).catch(() => 1)) === 0;
}

async function lastLogLines(client: DockerClient, id: string): Promise<string> {
  const log = await client.call('read its log', (docker) =>
    docker.getContainer(id).logs({ stdout: true, stderr: true, tail: 3 }),
  );
  const { stdout, stderr } = splitLog(log);
  return stderr.trim() || stdout.trim() || 'its log is empty';
}

/**
 * Splits a container's log by stream. Docker's API ("attach") sends frames: the number of the stream, three zero
 * bytes, the length, and the text.
 */
function splitLog(log: Buffer): { readonly stdout: string; readonly stderr: string } {
  const streams: Record<number, string> = { 1: '', 2: '' };
  for (let at = 0; at + 8 <= log.length; ) {
    const end = at + 8 + log.readUInt32BE(at + 4);
    streams[log[at] ?? 0] += log.toString('utf8', at + 8, end);
    at = end;
  }
  return { stdout: streams[1] ?? '', stderr: streams[2] ?? '' };
}
