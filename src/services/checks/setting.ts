import { withoutSecrets } from '../../runtime/secrets.ts';
import type { PortVariables } from '../environment.ts';
import { shown } from '../meta.ts';

/** Takes a sentence about a setting that is left out. */
export type Note = (problem: string) => void;

/** Ends sentences about a value with more in it than such a check takes. */
export const ANOTHER_PORT = ', and another port by CHECK_PORT';

/** Why a value cannot be used. */
export class Unusable extends Error {}

/** A setting that goes with a check; one that is not usable is left out, and the check stays. */
export function parameter<T>(
  settings: PortVariables,
  key: string,
  parse: (text: string) => T,
  note: Note,
): T | undefined {
  const setting = settings.get(key);
  if (setting === undefined || setting.value.trim() === '') return undefined;
  try {
    return parse(setting.value.trim());
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    note(`${setting.variable} is left out: ${error.message}`);
    return undefined;
  }
}

export function skipVerify(settings: PortVariables): { tlsSkipVerify?: true } {
  return isOn(settings, 'check_tls_skip_verify') ? { tlsSkipVerify: true } : {};
}

/** Whether a setting that is either on or off is on. */
export function isOn(settings: PortVariables, key: string): boolean {
  return !['', 'false', '0', 'no'].includes(settings.get(key)?.value.toLowerCase() ?? '');
}

/** A property where there is a value for it, else none. */
export function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}

/** A value as sentences show it. */
export function quoted(text: string): string {
  // Before it is cut: what is left of a password would no longer be known for one.
  return JSON.stringify(shown(withoutSecrets(text)));
}
