const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** A duration in Go's and Consul's notation (`10s`, `1m30s`, `1.5h`) in ms; undefined if the text is not one. */
export function milliseconds(text: string): number | undefined {
  if (!/^(\d{1,9}(\.\d{1,9})?(ns|us|µs|ms|s|m|h)){1,4}$/.test(text)) return undefined;
  let sum = 0;
  for (const [, number, unit = ''] of text.matchAll(/([\d.]+)([^\d.]+)/g))
    sum += Number(number) * (UNITS[unit] ?? 0);
  return sum;
}
