import { type Finding, ok } from './finding.ts';

/** linux/capability.h, and what each is for. */
const NEEDED: readonly (readonly [name: string, bit: number, purpose: string])[] = [
  ['NET_ADMIN', 12, 'bridges, interfaces and firewall rules'],
  ['SYS_ADMIN', 21, 'entering the network of a container'],
  ['SYS_PTRACE', 19, 'finding the network of a container'],
  ['NET_BROADCAST', 11, 'hearing of addresses as they appear'],
  ['NET_BIND_SERVICE', 10, 'answering on port 53'],
];

/**
 * @param status the text of /proc/self/status
 * @param serves false for a process that runs one command, and answers nobody: it binds no port
 */
export function findCapabilities(status: string, { serves = true } = {}): Finding {
  const subject = 'capabilities';
  const hex = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (hex === undefined) {
    return { subject, state: 'unknown', detail: '/proc/self/status does not tell', advice: '' };
  }
  const effective = BigInt(`0x${hex}`);
  const needed = NEEDED.filter(([name]) => serves || name !== 'NET_BIND_SERVICE');
  const missing = needed.filter(([, bit]) => (effective & (1n << BigInt(bit))) === 0n);
  if (missing.length === 0) return ok(subject, 'all that are needed');
  return {
    subject,
    state: 'failed',
    detail: missing.map(([name, , purpose]) => `no ${name}: ${purpose}`).join('; '),
    advice: `run as root, or with ${missing.map(([name]) => `--cap-add ${name}`).join(' ')}`,
  };
}
