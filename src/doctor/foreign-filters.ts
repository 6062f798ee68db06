import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { messageOf, systemCode } from '../errors.ts';
import { type Finding, ok } from './finding.ts';

/** A chain in the output of `nft -j list chains`. Only base chains, which packets enter by themselves, have a hook. */
const Chain = v.object({
  family: v.string(),
  table: v.string(),
  name: v.string(),
  hook: v.optional(v.string()),
  policy: v.optional(v.string()),
});
const Chains = v.object({ nftables: v.array(v.object({ chain: v.optional(Chain) })) });

const subject = 'nftables';
const TIMEOUT_MS = 5_000;
/** The tables of iptables, which hold heddle's rules. */
const IPTABLES_TABLES = new Set(['ip filter', 'ip6 filter']);
const HOOKS: Readonly<Record<string, string>> = {
  forward: 'containers may not reach each other',
  input: 'containers may not reach the resolver',
};

/**
 * Finds chains that drop in tables other than those of iptables. Every table sees every packet, so another table may
 * drop what heddle's rules accept. No finding on a host without nft, which creates such tables.
 */
export async function findForeignFilters(bridge: string): Promise<readonly Finding[]> {
  try {
    const { stdout } = await promisify(execFile)('nft', ['-j', 'list', 'chains'], { timeout: TIMEOUT_MS });
    return [foreignFilterFinding(stdout, bridge)];
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    return [{ subject, state: 'unknown', detail: messageOf(error).trim(), advice: 'run as root' }];
  }
}

/** @param json the output of `nft -j list chains` */
export function foreignFilterFinding(json: string, bridge: string): Finding {
  const chains = v.parse(Chains, JSON.parse(json)).nftables.flatMap(({ chain }) => chain ?? []);
  const dropping = chains.filter(
    ({ family, table, hook, policy }) =>
      policy === 'drop' && hook !== undefined && hook in HOOKS && !IPTABLES_TABLES.has(`${family} ${table}`),
  );
  if (dropping.length === 0) return ok(subject, 'no table except those of iptables drops by its policy');
  const detail = dropping.map(
    ({ family, table, name, hook = '' }) =>
      `table ${family} ${table}, chain ${name}, drops: ${HOOKS[hook]} unless a rule there lets them`,
  );
  const advice = dropping.map(({ family, table, name, hook }) => {
    const what = hook === 'forward' ? `oifname ${bridge}` : 'meta l4proto { tcp, udp } th dport 53';
    return `nft insert rule ${family} ${table} ${name} iifname ${bridge} ${what} accept`;
  });
  return { subject, state: 'warning', detail: detail.join('; '), advice: advice.join('; ') };
}
