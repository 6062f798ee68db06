/** Numbers of record types and classes (IANA's DNS parameters) and their mnemonics. */

const TYPES: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  HTTPS: 65,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
};
const CLASSES: Readonly<Record<string, number>> = { IN: 1, CH: 3, HS: 4, ANY: 255 };

const TYPE_NAMES = new Map(Object.entries(TYPES).map(([name, number]) => [number, name]));
const CLASS_NAMES = new Map(Object.entries(CLASSES).map(([name, number]) => [number, name]));

/** The mnemonic of a type, or `TYPE<n>` (RFC 3597 §5). */
export function typeName(type: number): string {
  return TYPE_NAMES.get(type) ?? `TYPE${type}`;
}

/** The mnemonic of a class, or `CLASS<n>`. */
export function className(klass: number): string {
  return CLASS_NAMES.get(klass) ?? `CLASS${klass}`;
}

/** The number of a type as named by typeName. */
export function typeNumber(name: string): number {
  return TYPES[name] ?? Number(name.slice('TYPE'.length));
}

/** Whether a type has a mnemonic: only these types get counters of their own. */
export function isKnownType(name: string): boolean {
  return name in TYPES;
}
