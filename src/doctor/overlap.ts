import type { Parts } from '../containers/parts.ts';
import { messageOf } from '../errors.ts';
import { overlapOf, overlapOfPool } from '../ipam/overlap.ts';
import type { Pool } from '../ipam/pool.ts';
import { distinct, formatCidr } from '../network/cidr.ts';
import type { Cidr, HostNetwork } from '../network/engine.ts';
import { type Finding, ok } from './finding.ts';

const subject = 'networks';

/** Whether the networks of containers overlap other networks or routes of this host. */
export async function findOverlaps({
  network,
  networks,
  addressing,
}: Pick<Parts, 'network' | 'networks' | 'addressing'>): Promise<Finding> {
  try {
    const { pool } = addressing;
    return overlapFinding({ pool, used: await networks(), host: await network.hostNetworks() });
  } catch (error) {
    return { subject, state: 'unknown', detail: messageOf(error), advice: '' };
  }
}

export function overlapFinding(facts: {
  /** The range for free addresses. */
  readonly pool: Pool;
  /** Networks in which the bridge or containers have addresses. */
  readonly used: readonly Cidr[];
  readonly host: readonly HostNetwork[];
}): Finding {
  const cut = distinct(facts.used).flatMap((network) => {
    const other = overlapOf(network, facts.host);
    return other === undefined ? [] : [`the network of containers ${formatCidr(network)} overlaps ${other}`];
  });
  const ofPool = overlapOfPool(facts.pool, facts.host);
  if (cut.length > 0) {
    const detail = [...cut, ...(ofPool ? [ofPool.problem] : [])].join('; ');
    const advice = 'choose another range with --ipalloc-range, and other addresses for what is attached';
    return { subject, state: 'failed', detail, advice };
  }
  if (ofPool) {
    const refused = ofPool.sparesDefault ? 'networks of it that overlap' : 'addresses of it';
    const detail = `${ofPool.problem}: run and expose refuse ${refused}`;
    return { subject, state: 'warning', detail, advice: 'choose another range with --ipalloc-range' };
  }
  return ok(
    subject,
    `${formatCidr(facts.pool.range)} and what is attached overlap no network or route of this host`,
  );
}
