import type { Link } from './netlink/link.ts';

const PREFIX = 'vethwl';

/**
 * Name of the end of a pair that stays on the host: at most 13 characters of the kernel's 15, and by the namespace's
 * inode the same in every process.
 */
export const hostEndName = (inode: number): string => `${PREFIX}${inode.toString(36)}`;

/** The namespace whose pair has this name; undefined for a name that is not ours. */
export function namespaceOfEnd(name: string): number | undefined {
  const inode = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 36) : Number.NaN;
  return Number.isSafeInteger(inode) && hostEndName(inode) === name ? inode : undefined;
}

/** Made by heddle, or by the original weave, which uses the same prefix. */
export const isHostEnd = ({ name, kind }: Link): boolean => kind === 'veth' && name.startsWith(PREFIX);

/** All of them, as iptables writes it. */
export const HOST_ENDS = `${PREFIX}+`;
