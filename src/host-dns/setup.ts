import { parseResolvConf } from '../dns/forward/resolv-conf.ts';
import { HeddleError } from '../errors.ts';
import { withoutBlock } from './block.ts';
import { planDnsmasq, USUAL_DNSMASQ_FILES, undoDnsmasq } from './dnsmasq.ts';
import {
  findDnsmasq,
  readResolvConf,
  readResolvedSettings,
  resolvconfHead,
  restarting,
} from './host-resolver.ts';
import type { Plan, Target } from './plan.ts';
import { textOf } from './replace-file.ts';
import { planResolvConf, type ResolvConf, undoResolvConf, writerOf } from './resolv-conf.ts';
import { HEADS, planResolvconf, undoResolvconf } from './resolvconf.ts';
import {
  planResolved,
  RESOLVED_FILE,
  RESOLVED_STUBS,
  RESOLVED_UPLINKS,
  undoResolved,
} from './systemd-resolved.ts';

/**
 * How this host is made to ask us, by the resolver that its resolv.conf leads to.
 * @throws HeddleError `refused` with the reason why that cannot be
 */
export async function planSetup(target: Target): Promise<Plan> {
  const conf = await readResolvConf();
  if (conf.path === RESOLVED_UPLINKS) {
    throw new HeddleError(
      'refused',
      `/etc/resolv.conf is a link to ${conf.path}, which passes systemd-resolved by: there is nobody who could ` +
        'ask for some names elsewhere; make it a link to /run/systemd/resolve/stub-resolv.conf',
    );
  }
  const server = firstServer(conf);
  if (server !== undefined && RESOLVED_STUBS.includes(server)) {
    return planResolved(await readResolvedSettings(), target);
  }
  const dnsmasq = server === undefined ? undefined : await findDnsmasq(server);
  if (dnsmasq) {
    const { file } = dnsmasq;
    return planDnsmasq(file, file && (await textOf(file)), target, restarting('dnsmasq'));
  }
  if (writerOf(conf.text) !== 'resolvconf') return planResolvConf(conf, target);
  const head = resolvconfHead();
  return planResolvconf(head, await textOf(head), target);
}

/** What takes back all that was set up here, by whichever resolver; empty where nothing was. */
export async function planUndo(): Promise<readonly Plan[]> {
  const conf = await readResolvConf();
  const server = firstServer(conf);
  const dnsmasq = server === undefined ? undefined : await findDnsmasq(server);
  const plans: Plan[] = [...undoResolved(await textOf(RESOLVED_FILE))];
  for (const path of new Set([...USUAL_DNSMASQ_FILES, ...(dnsmasq?.file ? [dnsmasq.file] : [])])) {
    plans.push(...undoDnsmasq(path, await textOf(path), restarting('dnsmasq')));
  }
  const heads: Plan[] = [];
  for (const path of HEADS) heads.push(...undoResolvconf(path, await textOf(path)));
  // What resolvconf has written, it writes anew.
  return [...plans, ...(heads.length > 0 ? heads : undoResolvConf(conf))];
}

/** Whom this host asks first, if not us. */
function firstServer({ text }: ResolvConf): string | undefined {
  return parseResolvConf(withoutBlock(text) ?? '').servers[0];
}
