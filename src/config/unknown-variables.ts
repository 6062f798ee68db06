import { nearest } from '../nearest.ts';
import { SETTINGS, type SettingName, variablesOf } from './schema.ts';

const PREFIX = 'HEDDLE_';

/** A sentence for each variable that looks like one of heddle's settings and is none: it would be ignored in silence. */
export function unknownVariables(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const known = new Set(['HEDDLE_CONFIG', ...(Object.keys(SETTINGS) as SettingName[]).flatMap(variablesOf)]);
  const unknown = Object.keys(env).filter((name) => name.startsWith(PREFIX) && !known.has(name));
  return unknown.map((name) => {
    const meant = nearest(name.slice(PREFIX.length), own(known));
    const hint = meant === undefined ? 'see docs/settings.md' : `did you mean ${PREFIX}${meant}?`;
    return `the variable ${name} has no effect: there is no such setting; ${hint}`;
  });
}

const own = (names: ReadonlySet<string>): readonly string[] =>
  [...names].filter((name) => name.startsWith(PREFIX)).map((name) => name.slice(PREFIX.length));
