import type { Link } from './netlink/link.ts';

const PREFIX = 'vethwl';

/**
 * Name of the pair's end on the host: at most 13 characters of the kernel's 15. It derives from the namespace's inode,
 * so that every process computes the same name.
 */
export const hostEndName = (inode: number): string => `${PREFIX}${inode.toString(36)}`;

/** Inode of the namespace whose host end has this name; undefined for other devices. */
export function namespaceOfEnd(name: string): number | undefined {
  const inode = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 36) : Number.NaN;
  return Number.isSafeInteger(inode) && hostEndName(inode) === name ? inode : undefined;
}

/** Made by heddle, or by the original weave, which uses the same prefix. */
export const isHostEnd = ({ name, kind }: Link): boolean => kind === 'veth' && name.startsWith(PREFIX);

/** Pattern for all host ends, in iptables' syntax. */
export const HOST_ENDS = `${PREFIX}+`;
