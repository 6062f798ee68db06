import { parseResolvConf } from '../dns/forward/resolv-conf.ts';
import { HeddleError } from '../errors.ts';
import { withoutBlock } from './block.ts';
import { planDnsmasq, USUAL_DNSMASQ_FILES, undoDnsmasq } from './dnsmasq.ts';
import {
  findDnsmasq,
  readResolvConf,
  readResolvedSettings,
  resolvconfHead,
  restartCommand,
} from './host-resolver.ts';
import type { Plan, Target } from './plan.ts';
import { textOf } from './replace-file.ts';
import { planPlainResolvConf, type ResolvConf, undoPlainResolvConf, writerOf } from './resolv-conf.ts';
import { HEADS, planResolvconfHead, undoResolvconfHead } from './resolvconf-head.ts';
import {
  planResolved,
  RESOLVED_FILE,
  RESOLVED_STUBS,
  RESOLVED_UPLINKS,
  undoResolved,
} from './systemd-resolved.ts';

/**
 * Plans how this host comes to ask heddle, according to the resolver that its resolv.conf leads to.
 * @throws HeddleError `refused` with the reason why this host cannot be changed
 */
export async function planSetup(target: Target): Promise<Plan> {
  const conf = await readResolvConf();
  if (conf.path === RESOLVED_UPLINKS) {
    throw new HeddleError(
      'refused',
      `/etc/resolv.conf is a link to ${conf.path}, which bypasses systemd-resolved, so no local resolver can send ` +
        'some names elsewhere; make it a link to /run/systemd/resolve/stub-resolv.conf',
    );
  }
  const server = firstServer(conf);
  if (server !== undefined && RESOLVED_STUBS.includes(server)) {
    return planResolved(await readResolvedSettings(), target);
  }
  const dnsmasq = server === undefined ? undefined : await findDnsmasq(server);
  if (dnsmasq) {
    const { file } = dnsmasq;
    return planDnsmasq(file, file && (await textOf(file)), target, restartCommand('dnsmasq'));
  }
  if (writerOf(conf.text) !== 'resolvconf') return planPlainResolvConf(conf, target);
  const head = resolvconfHead();
  return planResolvconfHead(head, await textOf(head), target);
}

/** Plans the removal of everything that was set up on this host, for any resolver; empty where nothing was. */
export async function planUndo(): Promise<readonly Plan[]> {
  const conf = await readResolvConf();
  const server = firstServer(conf);
  const dnsmasq = server === undefined ? undefined : await findDnsmasq(server);
  const plans: Plan[] = [...undoResolved(await textOf(RESOLVED_FILE))];
  for (const path of new Set([...USUAL_DNSMASQ_FILES, ...(dnsmasq?.file ? [dnsmasq.file] : [])])) {
    plans.push(...undoDnsmasq(path, await textOf(path), restartCommand('dnsmasq')));
  }
  const heads: Plan[] = [];
  for (const path of HEADS) heads.push(...undoResolvconfHead(path, await textOf(path)));
  // resolvconf itself rewrites /etc/resolv.conf without the head.
  return [...plans, ...(heads.length > 0 ? heads : undoPlainResolvConf(conf))];
}

/** The first server of this host, besides heddle. */
function firstServer({ text }: ResolvConf): string | undefined {
  return parseResolvConf(withoutBlock(text) ?? '').servers[0];
}
