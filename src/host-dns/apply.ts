import { execFile } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { parseResolvConf } from '../dns/forward/resolv-conf.ts';
import { HeddleError, messageOf } from '../errors.ts';
import { readResolvConf } from './host-resolver.ts';
import type { Plan } from './plan.ts';
import { replaceFile } from './replace-file.ts';

/** A restarted resolver needs a moment until it answers. */
const TIMEOUT_MS = 5_000;
const COMMAND_TIMEOUT_MS = 30_000;
/** The name contains the address (docs/dns.md). Only heddle, or a resolver that asks heddle, answers it like this. */
const PROBE = { name: '0a020101.addr', address: '10.2.1.1' };

/**
 * Changes the file and makes the resolver read it. If the resolver's command fails, the old file is restored.
 * @throws HeddleError with the step that failed
 */
export async function applyPlan(plan: Plan): Promise<void> {
  const { change, command } = plan;
  if (change.before === change.after) return;
  await replaceFile(change);
  if (!command) return;
  const [program, ...args] = command;
  // After a plain su, PATH may lack the folders of root's programs.
  const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin` };
  try {
    await promisify(execFile)(program, args, { env, timeout: COMMAND_TIMEOUT_MS });
  } catch (cause) {
    await replaceFile({ ...change, after: change.before });
    const line = command.join(' ');
    throw new HeddleError(
      'failed',
      `\`${line}\` failed, so ${change.path} was restored: ${messageOf(cause)}`,
      { cause },
    );
  }
}

/** The plan that undoes a plan. */
export function reversedPlan({ change, ...plan }: Plan): Plan {
  return { ...plan, change: { path: change.path, before: change.after, after: change.before } };
}

/** Whether a resolver at an address answers a name of heddle. */
export async function answersAt(address: string, domain: string): Promise<boolean> {
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([address]);
  const answers = await resolver.resolve4(`${PROBE.name}.${domain}`).catch((): string[] => []);
  return answers.includes(PROBE.address);
}

/** Waits until the first server of /etc/resolv.conf answers a name of heddle. @throws HeddleError `failed` */
export async function hostAnswers(domain: string): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  for (;;) {
    const [server] = parseResolvConf((await readResolvConf()).text).servers;
    if (server !== undefined && (await answersAt(server, domain))) return;
    if (performance.now() > deadline) {
      throw new HeddleError(
        'failed',
        `${server ?? 'no server of /etc/resolv.conf'} does not answer names of ${domain}`,
      );
    }
    await delay(100);
  }
}
