import { hasBlock, withBlock, withoutBlock } from './block.ts';
import type { Plan, Target } from './plan.ts';

/** The text at the start of every resolv.conf that resolvconf writes: of Debian's resolvconf, and of openresolv. */
export const HEADS = ['/etc/resolvconf/resolv.conf.d/head', '/etc/resolv.conf.head'] as const;
/** Only openresolv has this file. */
export const OPENRESOLV_SETTINGS = '/etc/resolvconf.conf';

const UPDATE = ['resolvconf', '-u'] as const;

/** Puts heddle first. The servers of resolvconf follow: heddle forwards to them, and the host falls back to them. */
export function planResolvconfHead(path: string, text: string | undefined, { address }: Target): Plan {
  const after = withBlock(text, [`nameserver ${address}`]);
  return { resolver: 'resolvconf', change: { path, before: text, after }, command: UPDATE };
}

/** Removes heddle's lines. */
export function undoResolvconfHead(path: string, text: string | undefined): readonly Plan[] {
  if (!hasBlock(text)) return [];
  return [
    { resolver: 'resolvconf', change: { path, before: text, after: withoutBlock(text) }, command: UPDATE },
  ];
}
