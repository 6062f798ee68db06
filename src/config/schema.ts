import type * as v from 'valibot';
import { DAEMON_SETTINGS } from './daemon-settings.ts';
import { DNS_SETTINGS } from './dns-settings.ts';
import { NETWORK_SETTINGS } from './network-settings.ts';
import { REGISTRY_SETTINGS } from './registry-settings.ts';
import { SERVICE_SETTINGS } from './service-settings.ts';
import type { SettingText } from './setting.ts';

/** Every setting: its schema with the default, and its texts. `--help` has the same order. */
export const SETTINGS = {
  ...REGISTRY_SETTINGS,
  ...DNS_SETTINGS,
  ...NETWORK_SETTINGS,
  ...SERVICE_SETTINGS,
  ...DAEMON_SETTINGS,
} as const;

export type SettingName = keyof typeof SETTINGS;

export type Settings = {
  readonly [Name in SettingName]: v.InferOutput<(typeof SETTINGS)[Name]['schema']>;
};

/** `dns-listen` → `HEDDLE_DNS_LISTEN`. A `--no-…` switch has the name of what it turns off. */
export function variablesOf(name: SettingName): readonly string[] {
  const setting: SettingText = SETTINGS[name];
  return [`HEDDLE_${keyOf(name).toUpperCase().replaceAll('-', '_')}`, ...(setting.env ?? [])];
}

/** The setting's key in `heddle.yml`. */
export const keyOf = (name: SettingName): string => SETTINGS[name].flag.replace(/^no-/, '');
