import { existsSync, readFileSync } from 'node:fs';
import * as v from 'valibot';
import { refuseOwnRoutes } from '../dns/forward/routes.ts';
import { HeddleError, messageOf } from '../errors.ts';
import { didYouMean } from '../runtime/nearest.ts';
import { withoutSecrets } from '../runtime/secrets.ts';
import { DEFAULT_FILE } from './default-paths.ts';
import { type EffectiveSetting, effectiveSetting } from './effective.ts';
import { keyOf, SETTINGS, type SettingName, type Settings, variablesOf } from './schema.ts';

/** Where a setting's value came from: `--mtu`, `HEDDLE_MTU`, `/etc/heddle/heddle.yml`, `default`. */
export type Origins = Readonly<Record<SettingName, string>>;

/** The settings, and their values for display. */
export type LoadedSettings = Settings & { readonly effective: readonly EffectiveSetting[] };

export interface Sources {
  /** Settings given as flags; absent flags are undefined. */
  readonly flags: Readonly<Partial<Record<SettingName, unknown>>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A file that must exist; undefined tries HEDDLE_CONFIG, then the default, which may be absent. */
  readonly file?: string | undefined;
}

/**
 * The effective settings: flags over environment over file over defaults.
 * @throws HeddleError `bad-input` with the setting, where it was given and the expected value
 */
export async function loadSettings(
  sources: Sources,
): Promise<{ settings: LoadedSettings; origins: Origins }> {
  const file = await readSettingsFile(sources);
  const settings: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  const effective: EffectiveSetting[] = [];
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const given = find(name, sources, file);
    origins[name] = given.origin;
    settings[name] = parseSetting(name, given);
    effective.push(effectiveSetting(name, given.value, given.origin));
  }
  const parsed = { settings: settings as Settings, origins: origins as Origins };
  refuseContradictions(parsed.settings, parsed.origins);
  return { ...parsed, settings: { ...parsed.settings, effective } };
}

/** Checks that need several settings. */
function refuseContradictions(settings: Settings, origins: Origins): void {
  const { domain, altDomain, weaveDomain, forward } = settings;
  withOrigin(origins.forward, () => refuseOwnRoutes(forward, [domain, weaveDomain, altDomain ?? []].flat()));
}

interface Given {
  readonly value: unknown;
  readonly origin: string;
}

interface SettingsFile {
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

function find(name: SettingName, sources: Sources, file: SettingsFile | undefined): Given {
  if (sources.flags[name] !== undefined)
    return { value: sources.flags[name], origin: `--${SETTINGS[name].flag}` };
  for (const variable of variablesOf(name)) {
    // Compose files and unit files set an empty variable to mean "not set".
    if (sources.env[variable]) return { value: sources.env[variable], origin: variable };
  }
  const value = file?.values[keyOf(name)];
  if (file && value !== undefined && value !== null) return { value, origin: file.path };
  return { value: undefined, origin: 'default' };
}

function parseSetting(name: SettingName, { value, origin }: Given): unknown {
  return withOrigin(origin, () => {
    const result = v.safeParse(SETTINGS[name].schema, value);
    if (result.success) return result.output;
    const shown = 'secret' in SETTINGS[name] ? '' : ` '${withoutSecrets(String(value))}'`;
    throw new HeddleError('bad-input', `${origin}:${shown} ${result.issues[0].message}`);
  });
}

/** Adds to errors where the setting was given. */
function withOrigin<T>(origin: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof HeddleError && !cause.message.startsWith(`${origin}:`)) {
      throw new HeddleError(cause.code, `${origin}: ${cause.message}`, { cause });
    }
    throw cause;
  }
}

async function readSettingsFile({ file, env }: Sources): Promise<SettingsFile | undefined> {
  const named = file ?? (env.HEDDLE_CONFIG || undefined);
  const path = named ?? DEFAULT_FILE;
  if (named === undefined && !existsSync(path)) return undefined;
  const values = await parseFile(path);
  const known = new Set((Object.keys(SETTINGS) as SettingName[]).map(keyOf));
  const unknown = Object.keys(values).find((key) => !known.has(key));
  if (unknown !== undefined) {
    const meant = didYouMean(unknown.replaceAll('_', '-'), known);
    throw new HeddleError(
      'bad-input',
      `${path}: unknown setting '${unknown}'${meant}; the settings are ${[...known].join(', ')}`,
    );
  }
  return { path, values };
}

async function parseFile(path: string): Promise<Record<string, unknown>> {
  const { parse } = await import('yaml');
  let values: unknown;
  try {
    values = parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new HeddleError('bad-input', `cannot read the settings file ${path}: ${messageOf(cause)}`, {
      cause,
    });
  }
  if (values === null) return {};
  if (typeof values === 'object' && !Array.isArray(values)) return values as Record<string, unknown>;
  throw new HeddleError('bad-input', `${path}: expected a list of 'setting: value' lines`);
}
