import { type Command, Option } from 'commander';
import { SETTINGS, type SettingName } from '../../config/schema.ts';
import type { SettingText } from '../../config/setting.ts';

/** Adds the flag of every setting that the command does not define itself. The flag of a list setting is repeatable. */
export function addSettings(command: Command, options: { readonly hidden?: boolean } = {}): Command {
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const setting: SettingText = SETTINGS[name];
    if (command.options.some(({ long }) => long === `--${setting.flag}`)) continue;
    const flags = setting.value ? `--${setting.flag} <${setting.value}>` : `--${setting.flag}`;
    const option = new Option(flags, setting.help);
    if (setting.list) option.argParser((value: string, before: string[] = []) => [...before, value]);
    command.addOption(options.hidden ? option.hideHelp() : option);
  }
  return command.option('--config <file>', 'the settings file (/etc/heddle/heddle.yml)');
}

/**
 * The same, hidden in the help, and only if the arguments name this command. Creating the flags for every command
 * would take longer than most commands run.
 */
export const addHiddenSettings = (command: Command, argv: readonly string[]): Command =>
  argv.includes(command.name()) ? addSettings(command, { hidden: true }) : command;

/** The settings among the parsed options of a command. Settings that were not given are absent. */
export function settingsIn(
  options: Readonly<Record<string, unknown>>,
): Partial<Record<SettingName, unknown>> {
  const given: Partial<Record<SettingName, unknown>> = {};
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const value = options[camelCase(SETTINGS[name].flag.replace(/^no-/, ''))];
    // commander sets an absent --no-x switch to true. The user did not give that.
    if (value !== undefined && !(SETTINGS[name].flag.startsWith('no-') && value === true))
      given[name] = value;
  }
  return given;
}

/** Flags before a command that are not settings, and whether each takes a value. The caller's process reads them. */
const CALLER_FLAGS = new Map([
  ['--config', true],
  ['--local', false],
  ['--trace', false],
]);
/** Settings about the caller's side, and settings that the container of heddle fixes. */
const CALLER_SETTINGS = ['socket', 'stateDir', 'procfs', 'image', 'containerName'] as const;

/**
 * Skips the leading settings of an argument list. What follows is a command, or belongs to the daemon.
 * @returns the index of the first argument that is neither a setting nor its value
 */
export const leadingSettings = (argv: readonly string[]): number => leadingFlags(argv).flat().length;

/** The leading settings that apply on the host, wherever the command runs there. */
export function settingsForHost(argv: readonly string[]): readonly string[] {
  const own = new Set([...CALLER_FLAGS.keys(), ...CALLER_SETTINGS.map((name) => `--${SETTINGS[name].flag}`)]);
  return leadingFlags(argv)
    .filter(([flag = '']) => !own.has(flag.replace(/=.*$/s, '')))
    .flat();
}

/** Every leading flag with its value, as given. */
function leadingFlags(argv: readonly string[]): readonly (readonly string[])[] {
  const takesValue = new Map(CALLER_FLAGS);
  for (const { flag, value } of Object.values(SETTINGS) as SettingText[])
    takesValue.set(`--${flag}`, Boolean(value));
  const found: (readonly string[])[] = [];
  for (let index = 0; ; ) {
    const argument = argv[index];
    const isWhole = argument?.includes('=') && takesValue.has(argument.slice(0, argument.indexOf('=')));
    if (argument === undefined || !(isWhole || takesValue.has(argument))) return found;
    const setting = argv.slice(index, index + (!isWhole && takesValue.get(argument) ? 2 : 1));
    found.push(setting);
    index += setting.length;
  }
}

const camelCase = (flag: string): string =>
  flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
