import { withoutSecrets } from '../../runtime/secrets.ts';
import type { PortVariables } from '../environment.ts';
import { shown } from '../meta.ts';
import type { Note } from '../note.ts';

/** Ends sentences about a value that contains a host or port. */
export const ANOTHER_PORT = '; CHECK_PORT sets another port';

/** Why a value is not usable. */
export class Unusable extends Error {}

/** The value of a check's parameter. A parameter that is not usable is left out; the check stays. */
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

/** An object with this property, or an empty one if the value is undefined. */
export function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}

/** A value quoted for messages. */
export function quoted(text: string): string {
  // Secrets are removed before the text is cut: the rest of a cut password would not be recognised.
  return JSON.stringify(shown(withoutSecrets(text)));
}
