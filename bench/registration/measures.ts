import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Daemon } from '../../test/support/heddle.ts';
import { create, eventTimes, kill, removeAll, start } from './containers.ts';
import { type Figures, figures, round } from './figures.ts';
import { NameWatch, now } from './names.ts';

/** Labels for the n-th container of a run; with `heddle.cidr` its attachment is part of what is measured. */
export type Labels = (index: number) => Readonly<Record<string, string>>;

let runs = 0;
const names = (count: number): string[] => {
  const run = `r${++runs}`;
  return Array.from({ length: count }, (_, index) => `${run}-${index}`);
};

export interface Latency {
  readonly answered: Figures;
  readonly gone: Figures;
  readonly lost: number;
}

/** From Docker's start event to the answer, and from its die event to none: one by one, or all at once. */
export async function latency(
  port: number,
  labels: Labels,
  count: number,
  atOnce: boolean,
): Promise<Latency> {
  const watch = await NameWatch.open(port);
  const events = eventTimes();
  await sleep(200);
  const containers: { name: string; id: string }[] = [];
  for (const [index, name] of names(count).entries())
    containers.push({ name, id: await create(name, labels(index)) });
  const measure = async (act: (id: string) => Promise<unknown>, action: string, answered: boolean) => {
    const times: (number | undefined)[] = [];
    const one = async ({ name, id }: { name: string; id: string }) => {
      const [at] = await Promise.all([watch.until(name, answered), act(id)]);
      await sleep(20);
      const from = events.times.get(`${id}:${action}`);
      times.push(at === undefined || from === undefined ? undefined : at - from);
    };
    if (atOnce) await Promise.all(containers.map(one));
    else for (const container of containers) await one(container).then(() => sleep(100));
    return times;
  };
  const started = await measure(start, 'start', true);
  const ended = await measure(kill, 'die', false);
  watch.close();
  events.close();
  await removeAll();
  const known = (times: (number | undefined)[]) => times.filter((time) => time !== undefined);
  const lost = [...started, ...ended].filter((time) => time === undefined).length;
  return { answered: figures(known(started)), gone: figures(known(ended)), lost };
}

/** Of so many containers, twenty at once: names missing after the starts, and stale after the kills. */
export async function burst(
  port: number,
  labels: Labels,
  count: number,
): Promise<{ missing: number; stale: number }> {
  const watch = await NameWatch.open(port);
  const wanted = names(count);
  const ids: string[] = [];
  for (const [index, name] of wanted.entries()) ids.push(await create(name, labels(index)));
  const inTwenties = async (act: (id: string) => Promise<unknown>) => {
    for (let index = 0; index < ids.length; index += 20)
      await Promise.all(ids.slice(index, index + 20).map(act));
    await sleep(4000);
  };
  const wrong = async (answered: boolean) => {
    const seen = await Promise.all(
      wanted.map((name) => Promise.race([watch.until(name, answered), sleep(2000, undefined)])),
    );
    return seen.filter((at) => at === undefined).length;
  };
  await inTwenties(start);
  const missing = await wrong(true);
  await inTwenties(kill);
  const stale = await wrong(false);
  watch.close();
  await removeAll();
  return { missing, stale };
}

export interface Sync {
  readonly firstMs: number;
  readonly allMs: number;
  readonly readyCpuMs: number;
  readonly rssMiB: number;
  readonly idleCpuMsPerS: number;
}

/** From the daemon's spawn to the first and to the last of the names of containers that already run. */
export async function sync(daemon: Daemon, port: number, wanted: readonly string[]): Promise<Sync> {
  const watch = await NameWatch.open(port);
  await daemon.stop();
  const spawned = now();
  const starting = daemon.start();
  const seen = await Promise.all(wanted.map((name) => watch.until(name, true)));
  await starting;
  const lost = seen.filter((at) => at === undefined).length;
  if (lost > 0) throw new Error(`${lost} of ${wanted.length} names were never answered`);
  const times = seen.map((at) => (at as number) - spawned);
  const cpu = cpuMs(daemon.pid);
  await sleep(5000);
  watch.close();
  return {
    firstMs: round(Math.min(...times)),
    allMs: round(Math.max(...times)),
    readyCpuMs: cpu,
    rssMiB: rssMiB(daemon.pid),
    idleCpuMsPerS: round((cpuMs(daemon.pid) - cpu) / 5),
  };
}

export async function running(count: number, labels: Labels): Promise<readonly string[]> {
  const wanted = names(count);
  for (const [index, name] of wanted.entries()) await start(await create(name, labels(index)));
  return wanted;
}

/** User and system time; the kernel counts it in hundredths of a second. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function rssMiB(pid: number): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);
}
