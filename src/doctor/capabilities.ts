import { CAPABILITIES, type Capability } from '../docker/heddle-container.ts';
import { type Finding, ok } from './finding.ts';

/** The bit of each capability in linux/capability.h, and what heddle needs it for. */
const NEEDED: Readonly<Record<Capability, { readonly bit: number; readonly purpose: string } | undefined>> = {
  NET_ADMIN: { bit: 12, purpose: 'bridges, interfaces and firewall rules' },
  SYS_ADMIN: { bit: 21, purpose: 'entering the network of a container' },
  SYS_PTRACE: { bit: 19, purpose: 'finding the network of a container' },
  NET_BROADCAST: { bit: 11, purpose: 'receiving notice of new addresses' },
  NET_BIND_SERVICE: { bit: 10, purpose: 'answering on port 53' },
  // Only needed beside rules of iptables-legacy. The finding of the firewall reports it there.
  NET_RAW: undefined,
};

/**
 * @param status the text of /proc/self/status
 * @param serves false for a process that runs one command: it answers no clients, so it binds no port
 */
export function findCapabilities(status: string, { serves = true } = {}): Finding {
  const subject = 'capabilities';
  const hex = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (hex === undefined) {
    return { subject, state: 'unknown', detail: '/proc/self/status does not list them', advice: '' };
  }
  const effective = BigInt(`0x${hex}`);
  const missing = CAPABILITIES.flatMap((name) => {
    const need = serves || name !== 'NET_BIND_SERVICE' ? NEEDED[name] : undefined;
    return need && (effective & (1n << BigInt(need.bit))) === 0n ? [{ name, purpose: need.purpose }] : [];
  });
  if (missing.length === 0) return ok(subject, 'all that are needed');
  return {
    subject,
    state: 'failed',
    detail: missing.map(({ name, purpose }) => `no ${name}: ${purpose}`).join('; '),
    advice: `run as root, or with ${missing.map(({ name }) => `--cap-add ${name}`).join(' ')}`,
  };
}
