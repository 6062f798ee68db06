import { type Translation, translateRegistrator } from '../commands/compat/registrator.ts';
import { leadingSettings } from '../commands/syntax/setting-flags.ts';

/** Programs in Go accept one dash here. commander would read these as several flags of one letter each. */
const ONE_DASH: Readonly<Record<string, string>> = { '-help': '--help', '-version': '--version' };

/**
 * Turns every accepted command line into `heddle [settings] <command> …`. A line without a command is the daemon's:
 * flags and a registry URI, as registrator is started.
 */
export function normalise(written: readonly string[]): Translation {
  const given = written.map((argument, at) =>
    at < 2 && Object.hasOwn(ONE_DASH, argument) ? (ONE_DASH[argument] ?? argument) : argument,
  );
  const asGiven = { argv: given, ignoredFlags: [] };
  const first = given[0];
  if (first === undefined) return { ...asGiven, argv: ['--help'] };
  if (first === '-v') return { ...asGiven, argv: ['--version'] };
  if (['--help', '-h', '--version', '-V'].includes(first)) return asGiven;
  const translation = translateRegistrator(given);
  const { argv } = translation;
  const next = argv[leadingSettings(argv)];
  if (next === 'daemon') return translation;
  const isDaemon = next === undefined || next.startsWith('-') || next.includes('://');
  return isDaemon ? { ...translation, argv: ['daemon', ...argv] } : asGiven;
}
