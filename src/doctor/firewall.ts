import type { Parts } from '../containers/parts.ts';
import { messageOf } from '../errors.ts';
import type { FilterFacts } from '../network/firewall/firewall.ts';
import { families } from '../network/firewall/iptables.ts';
import type { Family } from '../network/firewall/rules.ts';
import { type Finding, ok } from './finding.ts';

const SUBJECTS: Readonly<Record<Family, string>> = { iptables: 'firewall', ip6tables: 'firewall IPv6' };

/** The findings about the host's packet filter, one for each address family of the host. */
export async function findFirewalls({
  firewall,
  network,
  bridge,
}: Pick<Parts, 'firewall' | 'network' | 'bridge'>): Promise<readonly Finding[]> {
  const needed = await network.hostMac(bridge).catch(() => undefined);
  return await Promise.all(
    families().map(async (family): Promise<Finding> => {
      try {
        return firewallFinding(SUBJECTS[family], await firewall.inspect(family), needed !== undefined);
      } catch (error) {
        const advice = 'install iptables, or add the capability NET_ADMIN to heddle';
        return { subject: SUBJECTS[family], state: 'warning', detail: messageOf(error), advice };
      }
    }),
  );
}

/** @param needed whether a bridge exists, whose packets pass the filter */
export function firewallFinding(
  subject: string,
  { command, forward, input, missing, unreadable }: FilterFacts,
  needed: boolean,
): Finding {
  const detail = `${command}, policy of forwarded packets ${forward}, of those to this host ${input}`;
  if (unreadable !== undefined) {
    const tables = command.startsWith('ip6') ? 'ip6tables-legacy' : 'iptables-legacy';
    return {
      subject,
      state: 'failed',
      detail: `${detail}; ${tables} has rules here too, and cannot be read (${unreadable}): if Docker's are among them, containers do not reach each other`,
      advice: 'add the capability NET_RAW to heddle (--cap-add NET_RAW, or CAP_NET_RAW in the unit)',
    };
  }
  if (!needed || missing === 0) return ok(subject, detail);
  const dropped = [
    ...(forward === 'ACCEPT' ? [] : ['containers do not reach each other']),
    ...(input === 'ACCEPT' ? [] : ['containers do not reach the resolver']),
  ];
  return {
    subject,
    state: dropped.length > 0 ? 'failed' : 'warning',
    detail: [`${detail}, ${missing} rules of heddle are missing`, ...dropped].join('; '),
    advice: 'heddle create-bridge adds the rules, and the daemon keeps them',
  };
}
