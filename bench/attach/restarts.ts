import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEngine, stopEngine } from '../../scripts/world/engine.ts';
import { engineApi as api } from '../../test/support/engine-api.ts';
import { startDaemon } from '../../test/support/heddle.ts';
import { create, removeAll, start } from '../registration/containers.ts';
import { type Figures, figures } from '../registration/figures.ts';

const CONTAINERS = 20;
/** Docker waits longer and longer before it restarts a container that ended within ten seconds of its start. */
const ESTABLISHED_MS = 11_000;
const PATIENCE_MS = 20_000;

export interface RestartFigures {
  readonly byHand: Figures;
  readonly byPolicy: Figures;
  readonly byEngine: Figures;
}

/**
 * Measures from Docker's own start time of a container until its address is back, with a daemon on a real engine. The
 * container restarts by hand, by its restart policy after a kill, and with its engine. In the last case the time counts
 * from the engine's first answer, because the engine reports no start before that.
 */
export async function measureRestarts(): Promise<RestartFigures> {
  await using daemon = await startDaemon();
  const watch = watchAddresses();
  const containers = new Map<string, string>();
  try {
    for (let index = 1; index <= CONTAINERS; index++) {
      const ip = `10.2.3.${index}`;
      const id = await create(`restart-${index}`, { 'heddle.cidr': `${ip}/16` }, { Name: 'always' });
      containers.set(id, ip);
      await start(id);
    }
    const oneByOne = async (restart: (id: string) => Promise<unknown>): Promise<Figures> => {
      const times: number[] = [];
      for (const [id, ip] of containers) {
        const seen = watch.next(ip);
        await restart(id);
        const at = await seen;
        times.push(at - (await startOf(id)));
        await sleep(50);
      }
      return figures(times);
    };
    await sleep(ESTABLISHED_MS);
    const byHand = await oneByOne((id) => api('POST', `/containers/${id}/restart?t=0`));
    await sleep(ESTABLISHED_MS);
    const byPolicy = await oneByOne(async (id) => process.kill(await pidOf(id), 'SIGKILL'));
    await stopEngine();
    const seen = Promise.all(Array.from(containers, async ([id, ip]) => ({ id, at: await watch.next(ip) })));
    await startEngine();
    const answered = Date.now();
    const back = await seen;
    const times = await Promise.all(
      back.map(async ({ id, at }) => at - Math.max(answered, await startOf(id))),
    );
    return { byHand, byPolicy, byEngine: figures(times) };
  } catch (error) {
    throw new Error(`measuring restarts failed; the daemon's output:\n${daemon.output}`, { cause: error });
  } finally {
    watch.close();
    await removeAll();
  }
}

const inspect = (id: string) =>
  api('GET', `/containers/${id}/json`) as Promise<{ State: { Pid: number; StartedAt: string } }>;
const pidOf = async (id: string): Promise<number> => (await inspect(id)).State.Pid;
const startOf = async (id: string): Promise<number> => Date.parse((await inspect(id)).State.StartedAt);

/** Watches for new addresses in every namespace; the kernel reports them within a fraction of a millisecond. */
function watchAddresses() {
  const monitor = spawn('ip', ['-o', 'monitor', 'all-nsid', 'address'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const waiting = new Map<string, (at: number) => void>();
  createInterface({ input: monitor.stdout }).on('line', (line) => {
    const ip = line.includes('Deleted') ? undefined : / inet ([\d.]+)\//.exec(line)?.[1];
    if (ip === undefined) return;
    waiting.get(ip)?.(performance.timeOrigin + performance.now());
    waiting.delete(ip);
  });
  return {
    /** The time in ms since 1970 at which this address appears next. */
    next: (ip: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error(`${ip} has not appeared`)), PATIENCE_MS);
        waiting.set(ip, (at) => {
          clearTimeout(late);
          resolve(at);
        });
      }),
    close: () => monitor.kill(),
  };
}
