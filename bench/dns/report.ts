import type { Case } from './cases.ts';
import type { Figures } from './rounds.ts';

const whole = (value: number) => Math.round(value).toLocaleString('en');

/** A case's figures as a table of docs/benchmarks.md. */
export function tableOf(
  { name, changes }: Pick<Case, 'name' | 'changes'>,
  figures: readonly Figures[],
): string {
  const withDnsperf = figures.some(({ dnsperf }) => dnsperf !== undefined);
  const heads = ['server', 'queries/s', 'p50 / p99 / p99.9 µs', 'µs CPU a query', 'RSS MiB', 'lost'];
  if (withDnsperf) heads.push('dnsperf');
  if (changes) heads.push('oldest answer');
  const rows = figures.map((one) => [
    one.server,
    whole(one.perSecond),
    [one.p50, one.p99, one.p999].map(whole).join(' / '),
    one.cpu.toFixed(1),
    whole(one.mebibytes),
    whole(one.lost),
    ...(withDnsperf ? [one.dnsperf === undefined ? '–' : whole(one.dnsperf)] : []),
    ...(changes ? [`${one.oldest} ms`] : []),
  ]);
  const lines = [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  return [`### ${name}`, '', ...lines, ''].join('\n');
}

type Results = ReadonlyMap<string, readonly Figures[]>;

interface Goal {
  readonly text: string;
  /** The figure and whether it is good enough; undefined if the run did not measure it. */
  measure(results: Results): { readonly figure: string; readonly kept: boolean } | undefined;
}

const BATCHED = 'heddle batched';

function find(results: Results, name: string, server: string): Figures | undefined {
  return results.get(name)?.find((one) => one.server === server);
}

/** The goal that one rate is at least so many times another. */
function atLeast(text: string, factor: number, [one, other]: readonly [Place, Place]): Goal {
  return {
    text,
    measure: (results) => {
      const [ours, theirs] = [find(results, ...one), find(results, ...other)];
      if (!ours || !theirs) return undefined;
      const ratio = ours.perSecond / theirs.perSecond;
      return { figure: `${ratio.toFixed(2)} ×`, kept: ratio >= factor };
    },
  };
}

/** Case and server. */
type Place = readonly [string, string];

const mixOf = (server: string): Place => ['mix', server];
const beside = (peer: string, factor: number, ours = BATCHED) =>
  atLeast(`${ours}, mix: ${factor} × ${peer}`, factor, [mixOf(ours), mixOf(peer)]);
const memory = (names: string, most: number): Goal => ({
  text: `${names}: at most ${most} MiB`,
  measure: (results) => {
    const found = find(results, names, BATCHED);
    return found && { figure: `${whole(found.mebibytes)} MiB`, kept: found.mebibytes <= most };
  },
});

const GOALS: readonly Goal[] = [
  beside('Consul', 12),
  beside('dnsmasq', 5),
  beside('unbound', 1.2),
  beside('Knot', 0.95),
  beside('echo', 0.9),
  beside('Consul', 5, 'heddle cached'),
  {
    text: 'p99 at most 1.1 × Knot',
    measure: (results) => {
      const [ours, knot] = [find(results, ...mixOf(BATCHED)), find(results, ...mixOf('Knot'))];
      if (!ours || !knot) return undefined;
      return { figure: `${(ours.p99 / knot.p99).toFixed(2)} ×`, kept: ours.p99 <= 1.1 * knot.p99 };
    },
  },
  ...['10,000 names', '100,000 names'].map((names) =>
    atLeast(`${names}: 0.85 × that with 1,000`, 0.85, [[names, BATCHED], mixOf(BATCHED)]),
  ),
  atLeast('A only: 10 addresses 0.85 × one', 0.85, [
    ['A only, 10 each', BATCHED],
    ['A only, 1 each', BATCHED],
  ]),
  atLeast('while services change: 0.9 × the quiet figure', 0.9, [
    ['mix while services change', BATCHED],
    mixOf(BATCHED),
  ]),
  {
    text: 'no answer older than 10 ms',
    measure: (results) => {
      const oldest = find(results, 'mix while services change', BATCHED)?.oldest;
      return oldest === undefined ? undefined : { figure: `${oldest} ms`, kept: oldest <= 10 };
    },
  },
  memory('10,000 names', 130),
  memory('100,000 names', 400),
];

/** The goals that a run has measured, as a table. */
export function goalsOf(results: Results): string {
  const rows = GOALS.flatMap(({ text, measure }) => {
    const found = measure(results);
    return found ? [`| ${text} | ${found.figure} | ${found.kept ? 'kept' : '**missed**'} |`] : [];
  });
  return ['| goal | figure | |', '| --- | --- | --- |', ...rows, ''].join('\n');
}
