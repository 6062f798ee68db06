import * as v from 'valibot';
import { DEFAULT_FILE } from '../../src/config/default-paths.ts';
import { keyOf, SETTINGS, type SettingName, variablesOf } from '../../src/config/schema.ts';
import type { SettingText } from '../../src/config/setting.ts';

/** The text of docs/settings.md: every setting with its flag, variables, default and help. */
export function settingsPage(): string {
  const rows = (Object.keys(SETTINGS) as SettingName[]).map(row);
  return `# Settings

Flags override variables, variables override the settings file, and the file overrides the defaults.

- **File**: \`${DEFAULT_FILE}\`, or the file of \`--config\` or \`HEDDLE_CONFIG\`. Its keys are the flags without dashes; a switch \`--no-x\` is \`x: false\`.
- **Flags**: after the command (\`heddle daemon --mtu 1400\`) or before it. For \`run\` and \`dns-args\` only before it, because their arguments are Docker's.
- **Docker**: DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH have the same meaning as for the docker client.

| flag | variables | default | |
|---|---|---|---|
${rows.join('\n')}
`;
}

function row(name: SettingName): string {
  const setting: SettingText = SETTINGS[name];
  const flag = setting.value === undefined ? `--${setting.flag}` : `--${setting.flag} ${setting.value}`;
  const cells = [
    `\`${flag.replaceAll('|', '\\|')}\``,
    variablesOf(name).join(', '),
    defaultOf(name),
    setting.help,
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The default as in the settings file; a `--no-…` switch is on by default. */
function defaultOf(name: SettingName): string {
  const { schema } = SETTINGS[name];
  const value: unknown = v.getDefault(schema as v.GenericSchema);
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return '';
  return typeof value === 'boolean' ? `${keyOf(name)}: ${value}` : `\`${String(value)}\``;
}
