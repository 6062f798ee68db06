import * as v from 'valibot';
import { withoutSecrets } from '../runtime/secrets.ts';
import { keyOf, SETTINGS, type SettingName } from './schema.ts';

/** One setting with its effective value. */
export interface EffectiveSetting {
  /** Its key in the settings file: `dns-listen`. */
  readonly setting: string;
  /** The value as given, or the default; empty if there is none. Secrets are hidden. */
  readonly value: string;
  /** `--mtu`, `HEDDLE_MTU`, `/etc/heddle/heddle.yml`, `default`. */
  readonly origin: string;
}

/** A setting for display, from the value as given; undefined means the default. */
export function effectiveSetting(name: SettingName, given: unknown, origin: string): EffectiveSetting {
  const value = given === undefined ? v.getDefault(SETTINGS[name].schema) : given;
  const text = value === undefined ? '' : [value].flat().map(String).join(',');
  return { setting: keyOf(name), value: isSecret(name) && text ? '(hidden)' : withoutSecrets(text), origin };
}

const isSecret = (name: SettingName): boolean => 'secret' in SETTINGS[name];
