import type * as v from 'valibot';

/** The names of a setting on the command line, in the environment and in the file, and its help. */
export interface SettingText {
  /** Long flag without dashes. It is also the key in `heddle.yml` and, in upper case after `HEDDLE_`, the variable. */
  readonly flag: string;
  /** The placeholder of the value in `--help`; undefined for a switch. */
  readonly value?: string;
  readonly help: string;
  /** Variables of other programs that set the same; HEDDLE_* overrides them. */
  readonly env?: readonly string[];
  /** The flag may be repeated or take a list separated by commas. */
  readonly list?: true;
  /** Never printed. */
  readonly secret?: true;
}

/** Settings by name; each schema includes the default. `--help` has the same order. */
export type SettingTable = Readonly<Record<string, SettingText & { readonly schema: v.GenericSchema }>>;
