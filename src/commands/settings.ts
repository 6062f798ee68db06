import { type Command, Option } from 'commander';
import { SETTINGS, type SettingName, type SettingText } from '../config/schema.ts';

/** Gives a command the flags of the settings; a flag given twice is a list where the setting is one. */
export function addSettings(command: Command, options: { readonly hidden?: boolean } = {}): Command {
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const setting: SettingText = SETTINGS[name];
    const flags = setting.value ? `--${setting.flag} <${setting.value}>` : `--${setting.flag}`;
    const option = new Option(flags, setting.help);
    if (setting.list) option.argParser((value: string, before: string[] = []) => [...before, value]);
    command.addOption(options.hidden ? option.hideHelp() : option);
  }
  return command.option('--config <file>', 'the settings file (/etc/heddle/heddle.yml)');
}

/**
 * The same for one of many words, whose flags are in the way: hidden in its help, and there only where the arguments
 * name it. Making them for every word takes longer than most words.
 */
export const addHiddenSettings = (command: Command, argv: readonly string[]): Command =>
  argv.includes(command.name()) ? addSettings(command, { hidden: true }) : command;

/** The settings among a command's parsed options; those not given are absent. */
export function settingsIn(
  options: Readonly<Record<string, unknown>>,
): Partial<Record<SettingName, unknown>> {
  const given: Partial<Record<SettingName, unknown>> = {};
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const value = options[camelCase(SETTINGS[name].flag.replace(/^no-/, ''))];
    // commander sets a --no-x switch to true when it is absent: that is no word of the user's.
    if (value !== undefined && !(SETTINGS[name].flag.startsWith('no-') && value === true))
      given[name] = value;
  }
  return given;
}

/**
 * Cuts leading settings off an argument list: what follows decides if it is a word, or the daemon's line.
 * @returns the index of the first argument that is neither a setting nor its value
 */
export function leadingSettings(argv: readonly string[]): number {
  const values = new Map<string, boolean>([
    ['--config', true],
    ['--local', false],
    ['--trace', false],
  ]);
  for (const setting of Object.values(SETTINGS) as SettingText[])
    values.set(`--${setting.flag}`, Boolean(setting.value));
  let index = 0;
  for (;;) {
    const argument = argv[index];
    if (argument === undefined) return index;
    if (argument.includes('=') && values.has(argument.slice(0, argument.indexOf('=')))) index += 1;
    else if (values.has(argument)) index += values.get(argument) ? 2 : 1;
    else return index;
  }
}

const camelCase = (flag: string): string =>
  flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
