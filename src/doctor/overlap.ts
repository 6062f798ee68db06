import { messageOf } from '../errors.ts';
import { overlapOf } from '../ipam/overlap.ts';
import { distinct, formatCidr } from '../network/cidr.ts';
import type { Cidr, HostNetwork } from '../network/engine.ts';
import type { Parts } from '../parts.ts';
import { type Finding, ok } from './finding.ts';

const subject = 'networks';

/** Whether the networks of containers keep clear of what this host reaches otherwise. */
export async function findOverlaps({
  network,
  networks,
  addressing,
}: Pick<Parts, 'network' | 'networks' | 'addressing'>): Promise<Finding> {
  try {
    const { range } = addressing.pool;
    return ofNetworks({ range, used: await networks(), host: await network.hostNetworks() });
  } catch (error) {
    return { subject, state: 'unknown', detail: messageOf(error), advice: '' };
  }
}

export function ofNetworks(facts: {
  /** Where free addresses come from. */
  readonly range: Cidr;
  /** Those that the bridge or containers have addresses in. */
  readonly used: readonly Cidr[];
  readonly host: readonly HostNetwork[];
}): Finding {
  const sentence = (network: Cidr, what: string) => {
    const other = overlapOf(network, facts.host);
    return other === undefined ? [] : [`${what} ${formatCidr(network)} overlaps ${other}`];
  };
  const cut = distinct(facts.used).flatMap((network) => sentence(network, 'the network of containers'));
  const range = sentence(facts.range, 'the range of free addresses');
  const advice = 'choose another range with --ipalloc-range, and other addresses for what is attached';
  if (cut.length > 0) return { subject, state: 'failed', detail: [...cut, ...range].join('; '), advice };
  if (range.length > 0) {
    const detail = `${range.join('; ')}: run and expose refuse addresses of it`;
    return { subject, state: 'warning', detail, advice: 'choose another range with --ipalloc-range' };
  }
  return ok(
    subject,
    `${formatCidr(facts.range)} and what is attached overlap no network or route of this host`,
  );
}
