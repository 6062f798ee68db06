import type * as v from 'valibot';

/** How a setting is written on the command line, in the environment and in the file, and what it means. */
export interface SettingText {
  /** Long flag without dashes; the key in `heddle.yml` and, upper-cased behind `HEDDLE_`, the variable. */
  readonly flag: string;
  /** What stands for the value in `--help`; undefined for a switch. */
  readonly value?: string;
  readonly help: string;
  /** Inherited variables that mean the same, after HEDDLE_*. */
  readonly env?: readonly string[];
  /** May be given several times, or as a list separated by commas. */
  readonly list?: true;
  /** Never printed. */
  readonly secret?: true;
}

/** Settings by name, each with a schema that has its default. The order is that of `--help`. */
export type SettingTable = Readonly<Record<string, SettingText & { readonly schema: v.GenericSchema }>>;
