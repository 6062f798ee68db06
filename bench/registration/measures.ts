import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Daemon } from '../../test/support/heddle.ts';
import { memoryOf, peakMemoryOf } from '../../test/support/memory.ts';
import { answersTo } from '../../test/support/questions.ts';
import { create, eventTimes, kill, removeAll, start } from './containers.ts';
import { type Figures, figures, round } from './figures.ts';
import { FORMS, type Form, NameWatch, now } from './names.ts';

/** Labels for the n-th container of a run; with `heddle.cidr`, attaching is part of the measurement. */
export type Labels = (index: number) => Readonly<Record<string, string>>;

let runs = 0;
const names = (count: number): string[] => {
  const run = `r${++runs}`;
  return Array.from({ length: count }, (_, index) => `${run}-${index}`);
};

export interface Latency {
  readonly names: Form;
  readonly answered: Figures;
  readonly gone: Figures;
  readonly lost: number;
}

/**
 * Measures from Docker's start event to the first answer, and from its die event to the first empty one: one container
 * after the other, or all at once.
 * @param forms of each container's name that are queried at the same time
 * @returns the figures of each form
 */
export async function latency(
  port: number,
  labels: Labels,
  count: number,
  { atOnce, forms }: { readonly atOnce: boolean; readonly forms: readonly Form[] },
): Promise<readonly Latency[]> {
  const watch = await NameWatch.open(port);
  const events = eventTimes();
  await sleep(200);
  const containers: { name: string; id: string }[] = [];
  for (const [index, name] of names(count).entries())
    containers.push({ name, id: await create(name, labels(index)) });
  const measure = async (act: (id: string) => Promise<unknown>, action: string, answered: boolean) => {
    const times: Time[] = [];
    const one = async ({ name, id }: { name: string; id: string }) => {
      const seen = forms.map((form) => watch.until(FORMS[form](name), answered));
      const [, ...answers] = await Promise.all([act(id), ...seen]);
      await sleep(20);
      const from = events.times.get(`${id}:${action}`);
      for (const [nth, form] of forms.entries()) {
        const at = answers[nth];
        times.push({ form, ms: at === undefined || from === undefined ? undefined : at - from });
      }
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
  return forms.map((names) => {
    const known = (times: readonly Time[]) =>
      times.flatMap(({ form, ms }) => (form === names && ms !== undefined ? ms : []));
    const lost = [...started, ...ended].filter(({ form, ms }) => form === names && ms === undefined).length;
    return { names, answered: figures(known(started)), gone: figures(known(ended)), lost };
  });
}

/** From the engine's event to the awaited answer; undefined if it never came. */
interface Time {
  readonly form: Form;
  readonly ms: number | undefined;
}

/** Starts and kills containers, twenty at once. Counts the names missing after the starts, and stale after the kills. */
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
      wanted.map((name) =>
        Promise.race([watch.until(FORMS.service(name), answered), sleep(2000, undefined)]),
      ),
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
  /** The peak, and the value after the rest. */
  readonly peakMiB: number;
  readonly rssMiB: number;
  readonly idleCpuPercent: number;
}

/** How many names are watched at once: more queries would dominate the measurement. */
const WATCHED = 2;
/** How long a start may take, in ms. */
const PATIENCE_MS = 120_000;

/**
 * Measures from the daemon's spawn to the first and to the last answered name of running containers, then so many
 * seconds of rest. A few names are watched, evenly spread, including the first and the last. Once these are answered, all
 * names are queried until none is missing.
 * @param options.forget empties the registry, which keeps the entries of a stopped daemon
 */
export async function sync(
  daemon: Daemon,
  port: number,
  wanted: readonly string[],
  { restSeconds, forget }: { readonly restSeconds: number; readonly forget: () => Promise<void> },
): Promise<Sync> {
  const watch = await NameWatch.open(port, PATIENCE_MS);
  await daemon.stop();
  await forget();
  const step = Math.max(1, (wanted.length - 1) / (WATCHED - 1));
  const watched = wanted.filter((_, index) => Math.floor(index % step) === 0 || index === wanted.length - 1);
  const spawned = now();
  const starting = daemon.start();
  const seen = await Promise.all(watched.map((name) => watch.until(FORMS.service(name), true)));
  watch.close();
  const all = await everyName(port, wanted, spawned + PATIENCE_MS);
  await starting;
  const cpu = cpuMs(daemon.pid);
  await sleep(restSeconds * 1000);
  return {
    firstMs: round(Math.min(...seen.map((at) => at ?? Number.POSITIVE_INFINITY)) - spawned),
    allMs: round(all - spawned),
    readyCpuMs: cpu,
    peakMiB: peakMemoryOf(daemon.pid),
    rssMiB: memoryOf(daemon.pid),
    idleCpuPercent: round((cpuMs(daemon.pid) - cpu) / restSeconds / 10),
  };
}

/** When all names were answered. @throws Error with the number of names that never were */
async function everyName(port: number, names: readonly string[], deadline: number): Promise<number> {
  let missing = names;
  for (;;) {
    const left: string[] = [];
    for (let start = 0; start < missing.length; start += 100) {
      const asked = missing.slice(start, start + 100);
      const answers = await answersTo(port, asked).catch(() => []);
      const answered = new Set(answers.map((line) => line.split(' ')[0]));
      left.push(...asked.filter((name) => !answered.has(name)));
    }
    if (left.length === 0) return now();
    if (now() > deadline) throw new Error(`${left.length} of ${names.length} names were never answered`);
    missing = left;
    await sleep(3);
  }
}

export async function running(count: number, labels: Labels): Promise<readonly string[]> {
  const wanted = names(count);
  for (const [index, name] of wanted.entries()) await start(await create(name, labels(index)));
  return wanted;
}

/** User and system time; the kernel counts it in hundredths of a second. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
