import { existsSync } from 'node:fs';
import { glob, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { HeddleError, messageOf } from '../errors.ts';
import { DNSMASQ_FILE, settingsFile, settingsFolder } from './dnsmasq.ts';
import { dnsmasqAt } from './dnsmasq-process.ts';
import type { Command } from './plan.ts';
import { textOf } from './replace-file.ts';
import type { ResolvConf } from './resolv-conf.ts';
import { HEADS, OPENRESOLV_SETTINGS } from './resolvconf.ts';
import { RESOLVED_SETTINGS } from './systemd-resolved.ts';

const RESOLV_CONF = '/etc/resolv.conf';

/** @throws HeddleError `refused` where there is none, or none that can be read */
export async function readResolvConf(): Promise<ResolvConf> {
  try {
    const path = await realpath(RESOLV_CONF);
    const text = await readFile(path, 'latin1');
    const mounts = (await readFile('/proc/self/mountinfo', 'latin1')).split('\n');
    return { path, text, isMount: mounts.some((line) => line.split(' ')[4] === path) };
  } catch (cause) {
    throw new HeddleError(
      'refused',
      `cannot read ${RESOLV_CONF}, or what it is a link to: ${messageOf(cause)}; make one that names a resolver`,
      { cause },
    );
  }
}

/** Every file of settings that systemd-resolved may read. */
export async function readResolvedSettings(): Promise<ReadonlyMap<string, string>> {
  const settings = new Map<string, string>();
  for (const pattern of RESOLVED_SETTINGS) {
    for await (const path of glob(pattern)) settings.set(path, (await textOf(path)) ?? '');
  }
  return settings;
}

/** The file of ours that the dnsmasq at an address of this host reads; undefined where none answers there. */
export async function findDnsmasq(ip: string): Promise<{ readonly file: string | undefined } | undefined> {
  const words = await dnsmasqAt(ip);
  if (words === undefined) return undefined;
  const folder = settingsFolder(words, (await textOf(settingsFile(words))) ?? '');
  return { file: folder && join(folder, DNSMASQ_FILE) };
}

/** The file whose text resolvconf puts first, as far as there is one. */
export function resolvconfHead(): string {
  // Without a file of settings openresolv reads the folder of Debian's program.
  return existsSync(OPENRESOLV_SETTINGS) ? HEADS[1] : HEADS[0];
}

/** What restarts a service: systemd where it runs, else the script of the service. */
export function restarting(service: string): Command {
  return existsSync('/run/systemd/system')
    ? ['systemctl', 'restart', service]
    : ['service', service, 'restart'];
}
