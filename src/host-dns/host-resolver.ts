import { existsSync } from 'node:fs';
import { glob, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { HeddleError, messageOf } from '../errors.ts';
import { DNSMASQ_FILE, settingsFile, settingsFolder } from './dnsmasq.ts';
import { dnsmasqAt } from './dnsmasq-process.ts';
import type { Command } from './plan.ts';
import { textOf } from './replace-file.ts';
import type { ResolvConf } from './resolv-conf.ts';
import { HEADS, OPENRESOLV_SETTINGS } from './resolvconf-head.ts';
import { RESOLVED_SETTINGS } from './systemd-resolved.ts';

const RESOLV_CONF = '/etc/resolv.conf';

/** @throws HeddleError `refused` when the file is missing or cannot be read */
export async function readResolvConf(): Promise<ResolvConf> {
  try {
    const path = await realpath(RESOLV_CONF);
    const text = await readFile(path, 'latin1');
    const mounts = (await readFile('/proc/self/mountinfo', 'latin1')).split('\n');
    return { path, text, isMount: mounts.some((line) => line.split(' ')[4] === path) };
  } catch (cause) {
    throw new HeddleError(
      'refused',
      `cannot read ${RESOLV_CONF}, or the target of its link: ${messageOf(cause)}; create one with a nameserver`,
      { cause },
    );
  }
}

/** Every settings file that systemd-resolved may read, by its path. */
export async function readResolvedSettings(): Promise<ReadonlyMap<string, string>> {
  const settings = new Map<string, string>();
  for (const pattern of RESOLVED_SETTINGS) {
    for await (const path of glob(pattern)) settings.set(path, (await textOf(path)) ?? '');
  }
  return settings;
}

/** The path for heddle's file in the settings folder of the dnsmasq at an address; undefined where none answers. */
export async function findDnsmasq(ip: string): Promise<{ readonly file: string | undefined } | undefined> {
  const commandLine = await dnsmasqAt(ip);
  if (commandLine === undefined) return undefined;
  const folder = settingsFolder(commandLine, (await textOf(settingsFile(commandLine))) ?? '');
  return { file: folder && join(folder, DNSMASQ_FILE) };
}

/** The path of the text that resolvconf puts at the start of resolv.conf. The file need not exist. */
export function resolvconfHead(): string {
  // Without its settings file, openresolv reads the folder of Debian's resolvconf.
  return existsSync(OPENRESOLV_SETTINGS) ? HEADS[1] : HEADS[0];
}

/** The command that restarts a service: systemd where it runs, else the init script. */
export function restartCommand(service: string): Command {
  return existsSync('/run/systemd/system')
    ? ['systemctl', 'restart', service]
    : ['service', service, 'restart'];
}
