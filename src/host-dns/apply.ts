import { execFile } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { parseResolvConf } from '../dns/forward/resolv-conf.ts';
import { HeddleError, messageOf } from '../errors.ts';
import { readResolvConf } from './host-resolver.ts';
import type { Plan } from './plan.ts';
import { replaceFile } from './replace-file.ts';

/** A resolver that was restarted needs a moment. */
const PATIENCE_MS = 5_000;
const COMMAND_TIMEOUT_MS = 30_000;
/** Its name spells the address (docs/dns.md): whoever answers so is one of us, or has asked one. */
const PROBE = { name: '0a020101.addr', address: '10.2.1.1' };

/**
 * Changes the file and tells the resolver. Where it cannot be told, the file is put back.
 * @throws HeddleError with what could not be done
 */
export async function applyPlan(plan: Plan): Promise<void> {
  const { change, command } = plan;
  if (change.before === change.after) return;
  await replaceFile(change);
  if (!command) return;
  const [program, ...words] = command;
  // Who becomes root by su has not always the folders of root's programs.
  const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin` };
  try {
    await promisify(execFile)(program, words, { env, timeout: COMMAND_TIMEOUT_MS });
  } catch (cause) {
    await replaceFile({ ...change, after: change.before });
    const line = command.join(' ');
    throw new HeddleError(
      'failed',
      `\`${line}\` failed, and ${change.path} is as it was: ${messageOf(cause)}`,
      {
        cause,
      },
    );
  }
}

/** The plan that takes a plan back. */
export function reversed({ change, ...plan }: Plan): Plan {
  return { ...plan, change: { path: change.path, before: change.after, after: change.before } };
}

/** Whether a name of ours is answered at an address. */
export async function answersAt(address: string, domain: string): Promise<boolean> {
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([address]);
  const answers = await resolver.resolve4(`${PROBE.name}.${domain}`).catch((): string[] => []);
  return answers.includes(PROBE.address);
}

/** Waits until this host, asked as its programs ask it, answers a name of ours. @throws HeddleError `failed` */
export async function hostAnswers(domain: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
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
