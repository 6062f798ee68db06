import { type Command, Option } from 'commander';
import { SETTINGS, type SettingName } from '../../config/schema.ts';
import type { SettingText } from '../../config/setting.ts';

/** Gives a command the flags of the settings that it has not of its own; a flag given twice is a list where the setting is one. */
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

/** Before a word, and no settings: for whoever reads the line. */
const FOR_THE_CALLER = new Map([
  ['--config', true],
  ['--local', false],
  ['--trace', false],
]);
/** Settings about the caller's own side, or that a container fixes. */
const OF_THE_CALLER = ['socket', 'stateDir', 'procfs', 'image', 'containerName'] as const;

/**
 * Cuts leading settings off an argument list: what follows decides if it is a word, or the daemon's line.
 * @returns the index of the first argument that is neither a setting nor its value
 */
export const leadingSettings = (argv: readonly string[]): number => leading(argv).flat().length;

/** Those of the leading settings that say how a word is done, wherever that is. */
export function settingsOfCommand(argv: readonly string[]): readonly string[] {
  const own = new Set([...FOR_THE_CALLER.keys(), ...OF_THE_CALLER.map((name) => `--${SETTINGS[name].flag}`)]);
  return leading(argv)
    .filter(([flag = '']) => !own.has(flag.replace(/=.*$/s, '')))
    .flat();
}

/** Every leading setting with its value, as it was given. */
function leading(argv: readonly string[]): readonly (readonly string[])[] {
  const takesValue = new Map(FOR_THE_CALLER);
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
