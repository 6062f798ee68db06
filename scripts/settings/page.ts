import * as v from 'valibot';
import { DEFAULT_FILE } from '../../src/config/default-paths.ts';
import { keyOf, SETTINGS, type SettingName, variablesOf } from '../../src/config/schema.ts';
import type { SettingText } from '../../src/config/setting.ts';

/** docs/settings.md: every setting, where it can be given, its default and its sentence of help. */
export function settingsPage(): string {
  const rows = (Object.keys(SETTINGS) as SettingName[]).map(row);
  return `# Settings

A flag beats a variable, a variable beats the file, the file beats the default. The file is \`${DEFAULT_FILE}\`, or what \`--config\` or \`HEDDLE_CONFIG\` names; its keys are the flags without dashes, a switch \`--no-x\` is \`x: false\`. Flags stand behind the word (\`heddle daemon --mtu 1400\`) or before it; for \`run\` and \`dns-args\`, whose arguments are docker's, only before. DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH mean what they mean to the docker client.

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

/** As one would write it; a switch that turns something off is off by default. */
function defaultOf(name: SettingName): string {
  const { schema } = SETTINGS[name];
  const value: unknown = v.getDefault(schema as v.GenericSchema);
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return '';
  return typeof value === 'boolean' ? `${keyOf(name)}: ${value}` : `\`${String(value)}\``;
}
