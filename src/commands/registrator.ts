/**
 * registrator's command line, which its users have in their unit files: flags with one dash, then a registry URI.
 * `docker run … heddle -internal consul://host:8500` means what it meant.
 */
const TRANSLATED: Readonly<Record<string, readonly string[]>> = {
  internal: ['--address', 'ethwe,bridge,internal'],
};
const SAME_MEANING = new Set(['ip']);

/** Turns registrator's flags into ours; everything else stays as it is. */
export function translateRegistrator(argv: readonly string[]): readonly string[] {
  return argv.flatMap((argument) => {
    const match = /^-([a-zA-Z]+[a-zA-Z-]*)(=.*)?$/.exec(argument);
    const [, flag = '', value = ''] = match ?? [];
    if (SAME_MEANING.has(flag)) return [`--${flag}${value}`];
    const words = TRANSLATED[flag];
    if (!match || !words) return [argument];
    return value === '=false' ? [] : words;
  });
}
