import type { Figures } from './rounds.ts';

/** The figures of each server, by case. */
export type ForwardResults = ReadonlyMap<string, readonly Figures[]>;

interface Goal {
  readonly text: string;
  readonly of: readonly [name: string, ours: string, theirs: string];
  /** The ratio of ours to theirs. */
  readonly ratio: (ours: Figures, theirs: Figures) => number;
  readonly isKept: (ratio: number) => boolean;
}

const rate = (ours: Figures, theirs: Figures) => ours.perSecond / theirs.perSecond;

const GOALS: readonly Goal[] = [
  ...['dnsmasq', 'unbound'].map(
    (peer): Goal => ({
      text: `never kept: at least 1.4 × ${peer}`,
      of: ['never kept', 'heddle plain', peer],
      ratio: rate,
      isKept: (ratio) => ratio >= 1.4,
    }),
  ),
  {
    text: "one at a time: at most 1.1 × unbound's p50",
    of: ['never kept, one at a time', 'heddle plain', 'unbound'],
    ratio: (ours, theirs) => ours.p50 / theirs.p50,
    isKept: (ratio) => ratio <= 1.1,
  },
  {
    text: 'kept: at least dnsmasq',
    of: ['kept', 'heddle plain', 'dnsmasq'],
    ratio: rate,
    isKept: (ratio) => ratio >= 1,
  },
  {
    text: 'kept, batched: at least unbound',
    of: ['kept', 'heddle batched', 'unbound'],
    ratio: rate,
    isKept: (ratio) => ratio >= 1,
  },
];

/** The goals that a run has measured, as a table. */
export function forwardGoals(results: ForwardResults): string {
  const rows = GOALS.flatMap(({ text, of: [name, ours, theirs], ratio, isKept }) => {
    const find = (server: string) => results.get(name)?.find((figures) => figures.server === server);
    const [own, other] = [find(ours), find(theirs)];
    if (!own || !other) return [];
    const figure = ratio(own, other);
    return [`| ${text} | ${figure.toFixed(2)} × | ${isKept(figure) ? 'kept' : '**missed**'} |`];
  });
  return ['| goal | figure | |', '| --- | --- | --- |', ...rows, ''].join('\n');
}
